internal import SluiceCore
internal import SluiceJSON

/// Messages of the native interface (tencent sheet, sections 2.1 and 3.3).
extension HunyuanEncoder {
    /// The system's only first; then the user, or tools, and the assistant in turns; the assistant never last.
    mutating func writeMessages(_ request: borrowing ChatRequest) {
        json.key("Messages")
        json.beginArray()
        var turns = TurnWriter(json, TurnWriter.Names(role: "Role", content: "Content", tool: "tool"))
        var messages = request.messages
        var index = 0
        while let value = messages.next() {
            let message = ChatMessage(value)
            message.reportOthers(at: index, &report)
            write(message, at: index, &turns)
            index += 1
        }
        turns.close()
        if turns.last != .user, turns.last != .tool { turns.say(.user, TurnWriter.trailing) }
        if turns.hasRepaired { report.adapt("messages: made to alternate") }
        json = turns.json
        json.endArray()
    }

    private mutating func write(_ message: borrowing ChatMessage, at index: Int, _ turns: inout TurnWriter) {
        switch message.role {
        case .system where turns.last == nil || turns.last == .system: turns.resume(.system)
        case .system, .user, .unknown:
            if capabilities.images, hasImages(message) { return writeContents(message, at: index, &turns) }
            turns.alternate(to: .user)
            turns.resume(.user)
        case .assistant:
            turns.alternate(to: .assistant)
            turns.resume(.assistant)
        case .tool:
            turns.begin(.tool)
            turns.json.key("ToolCallId")
            if let id = message.toolCallID, id.isString { turns.json.value(id) } else { turns.json.string("") }
        }
        turns.openText()
        turns.append(contentOf: message, at: index, &report)
        if message.role == .tool { turns.close() }
        if message.role == .assistant, message.hasToolCalls {
            turns.close(mayBeEmpty: true) { json in Self.writeCalls(of: message, &json) }
        }
    }

    private func hasImages(_ message: borrowing ChatMessage) -> Bool {
        guard let content = message.content, content.isArray else { return false }
        var parts = content.elements
        while let part = parts.next() { if ChatPart(part).kind == .image { return true } }
        return false
    }

    /// A message with images has its parts in another member.
    private mutating func writeContents(_ message: borrowing ChatMessage, at index: Int, _ turns: inout TurnWriter) {
        turns.close()
        turns.alternate(to: .user)
        turns.begin(.user)
        turns.json.key("Contents")
        turns.json.beginArray()
        guard let content = message.content else { return }
        var parts = content.elements
        var place = 0
        while let value = parts.next() {
            let part = ChatPart(value)
            if let text = part.text {
                turns.json.object { json in
                    json.key("Type")
                    json.string("text")
                    json.key("Text")
                    json.value(text)
                }
            } else if part.kind == .image, let url = part.imageURL, url.isString {
                turns.json.object { json in
                    json.key("Type")
                    json.string("image_url")
                    json.key("ImageUrl")
                    json.object { json in
                        json.key("Url")
                        json.value(url)
                    }
                }
            } else {
                report.lose(TurnWriter.path(part, at: place, of: index))
            }
            place += 1
        }
        turns.json.endArray()
        turns.json.endObject()
    }

    private static func writeCalls(of message: borrowing ChatMessage, _ json: inout JSONWriter) {
        json.key("ToolCalls")
        json.beginArray()
        var calls = message.toolCalls
        while let value = calls.next() {
            let call = ChatToolCall(value)
            guard let name = call.name, name.isString else { continue }
            json.beginObject()
            json.key("Id")
            if let id = call.id, id.isString { json.value(id) } else { json.string("") }
            json.key("Type")
            json.string("function")
            json.key("Function")
            json.object { json in
                json.key("Name")
                json.value(name)
                json.key("Arguments")
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
}
