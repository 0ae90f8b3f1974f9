internal import SluiceCore
internal import SluiceJSON

/// Messages of v1 (baidu sheet, section 3.4, "Message repair algorithm").
extension ErnieEncoder {
    /// The instructions stand beside the messages.
    mutating func writeSystem(_ request: borrowing ChatRequest) {
        var isOpen = false
        var messages = request.messages
        var index = 0
        while let value = messages.next() {
            let message = ChatMessage(value)
            if message.role == .system {
                if isOpen {
                    json.appendToString("\n\n".utf8Span.span)
                } else {
                    json.key("system")
                    json.beginString()
                    isOpen = true
                }
                let json = json
                message.forEachPart { part in if let text = part.text { json.appendToString(contentsOf: text) } }
            }
            index += 1
        }
        if isOpen { json.endString() }
    }

    /// An odd number of messages, those of the user and of functions at the odd places.
    mutating func writeMessages(_ request: borrowing ChatRequest) {
        json.key("messages")
        json.beginArray()
        var turns = TurnWriter(json, TurnWriter.Names(role: "role", content: "content", tool: "function"))
        var answered: [String] = []
        var messages = request.messages
        var index = 0
        while let value = messages.next() {
            let message = ChatMessage(value)
            message.reportOthers(at: index, &report)
            switch message.role {
            case .system: break
            case .user, .unknown: writeUser(message, at: index, &turns)
            case .assistant:
                turns.alternate(to: .assistant)
                turns.resume(.assistant)
                turns.openText()
                turns.append(contentOf: message, at: index, &report)
                if message.hasToolCalls { writeCalls(of: message, followedBy: messages, &turns, &answered) }
            case .tool:
                // A result stands with its call. One without a call is told as what it is.
                if let id = message.toolCallID?.string, answered.contains(id) { break }
                writeUser(message, at: index, &turns)
            }
            index += 1
        }
        turns.close()
        if turns.last != .user, turns.last != .tool { turns.say(.user, TurnWriter.trailing) }
        if turns.hasRepaired { report.adapt("messages: made to alternate") }
        json = turns.json
        json.endArray()
    }

    private mutating func writeUser(_ message: borrowing ChatMessage, at index: Int, _ turns: inout TurnWriter) {
        turns.alternate(to: .user)
        turns.resume(.user)
        turns.openText()
        turns.append(contentOf: message, at: index, &report)
    }

    /// One call a message: several become several turns, each with its result.
    ///
    /// - Parameter rest: the messages after this one.
    private mutating func writeCalls(
        of message: borrowing ChatMessage, followedBy rest: JSONElements, _ turns: inout TurnWriter,
        _ answered: inout [String]
    ) {
        var calls = message.toolCalls
        var isFirst = true
        while let value = calls.next() {
            let call = ChatToolCall(value)
            guard let name = call.name, name.isString else { continue }
            if !isFirst {
                if turns.last == .assistant { turns.say(.user, TurnWriter.trailing) }
                turns.begin(.assistant)
                turns.openText()
                report.adapt("messages: one call in each")
            }
            isFirst = false
            turns.close(mayBeEmpty: true) { json in
                json.key("function_call")
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
            }
            guard let id = call.id?.string, let result = result(of: id, in: rest), !answered.contains(id) else {
                continue
            }
            answered.append(id)
            turns.begin(.tool)
            turns.json.key("name")
            turns.json.value(name)
            turns.openText()
            turns.append(jsonText(of: ChatMessage(result)))
            turns.close()
        }
    }

    /// The result of a call, among the tools' messages that follow it at once.
    @_lifetime(copy rest)
    private func result(of id: String, in rest: JSONElements) -> JSONValue? {
        var rest = rest
        while let value = rest.next() {
            let message = ChatMessage(value)
            if message.role != .tool { return nil }
            if message.toolCallID?.equals(id.utf8Span.span) == true { return value }
        }
        return nil
    }

    /// A result must be JSON: what is not becomes `{"result": …}`, as in Baidu's SDK.
    private func jsonText(of result: borrowing ChatMessage) -> String {
        let text = result.plainText ?? ""
        let tape = tape
        let bytes = text.utf8Span.span
        if (try? tape.scan(bytes)) != nil, tape.root(over: bytes).isObject { return text }
        scratch.removeAll()
        var json = JSONWriter(into: scratch)
        json.object { json in
            json.key("result")
            json.string(text)
        }
        return scratch.text
    }
}
