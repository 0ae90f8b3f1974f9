internal import SluiceCore
internal import SluiceJSON

/// Messages of the native interface (alibaba sheet, section 3.1).
extension DashScopeEncoder {
    mutating func writeTexts(_ request: borrowing ChatRequest) {
        var turns = TurnWriter(json, TurnWriter.Names(role: "role", content: "content", tool: "tool"))
        var messages = request.messages
        var index = 0
        while let value = messages.next() {
            let message = ChatMessage(value)
            message.reportOthers(at: index, &report)
            switch message.role {
            // Instructions stand first only: later ones are told by the user.
            case .system: turns.resume(turns.last == nil || turns.last == .system ? .system : .user)
            case .user, .unknown: turns.resume(.user)
            case .assistant: turns.resume(.assistant)
            case .tool:
                turns.begin(.tool)
                Self.writeCallID(message, &turns.json)
            }
            turns.openText()
            turns.append(contentOf: message, at: index, &report)
            if message.role == .assistant, message.hasToolCalls || message.value["reasoning_content"]?.isString == true
            {
                turns.close(mayBeEmpty: true) { json in Self.writeOthers(of: message, &json) }
            } else if message.role == .tool {
                turns.close(mayBeEmpty: true)
            }
            index += 1
        }
        turns.close()
        if turns.hasRepaired { report.adapt("messages: of one role made one") }
        json = turns.json
    }

    private static func writeCallID(_ message: borrowing ChatMessage, _ json: inout JSONWriter) {
        guard let id = message.toolCallID, id.isString else { return }
        json.key("tool_call_id")
        json.value(id)
    }

    /// In a tool loop the model wants its reasoning back.
    private static func writeOthers(of message: borrowing ChatMessage, _ json: inout JSONWriter) {
        if let reasoning = message.value["reasoning_content"], reasoning.isString {
            json.key("reasoning_content")
            json.value(reasoning)
        }
        if !message.hasToolCalls { return }
        json.key("tool_calls")
        json.beginArray()
        var calls = message.toolCalls
        while let value = calls.next() {
            let call = ChatToolCall(value)
            guard let name = call.name, name.isString else { continue }
            json.beginObject()
            if let id = call.id, id.isString {
                json.key("id")
                json.value(id)
            }
            json.key("type")
            json.string("function")
            json.key("function")
            json.object { json in
                json.key("name")
                json.value(name)
                json.key("arguments")
                if let arguments = call.arguments, arguments.isString {
                    json.value(arguments)
                } else {
                    json.string("{}")
                }
            }
            json.endObject()
        }
        json.endArray()
    }

    /// The content is an array of objects with one member each.
    mutating func writeMultimodal(_ request: borrowing ChatRequest) {
        var messages = request.messages
        var index = 0
        while let value = messages.next() {
            let message = ChatMessage(value)
            message.reportOthers(at: index, &report)
            json.beginObject()
            json.key("role")
            switch message.role {
            case .system: json.string("system")
            case .user, .unknown: json.string("user")
            case .assistant: json.string("assistant")
            case .tool: json.string("tool")
            }
            json.key("content")
            json.beginArray()
            writeParts(message, at: index)
            json.endArray()
            if message.role == .tool { Self.writeCallID(message, &json) }
            if message.role == .assistant { Self.writeOthers(of: message, &json) }
            json.endObject()
            index += 1
        }
    }

    private mutating func writeParts(_ message: borrowing ChatMessage, at index: Int) {
        guard let content = message.content else { return }
        if content.isString { return writePart("text", content) }
        var parts = content.elements
        var place = 0
        while let value = parts.next() {
            let part = ChatPart(value)
            if let text = part.text {
                writePart("text", text)
            } else if part.kind == .image, let url = part.imageURL, url.isString {
                writePart("image", url)
            } else {
                report.lose(TurnWriter.path(part, at: place, of: index))
            }
            place += 1
        }
    }

    private mutating func writePart(_ key: StaticString, _ value: JSONValue) {
        json.beginObject()
        json.key(key)
        json.value(value)
        json.endObject()
    }
}
