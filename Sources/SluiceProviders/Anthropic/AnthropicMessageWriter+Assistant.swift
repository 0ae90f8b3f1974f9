internal import SluiceCore
internal import SluiceJSON

/// What the model said in earlier turns.
extension AnthropicMessageWriter {
    mutating func writeAssistant(_ value: JSONValue, _ index: Int, isLast: Bool) throws(EncodingRefusal) {
        let message = ChatMessage(value)
        if isLast, !message.hasToolCalls, !capabilities.prefill {
            throw EncodingRefusal(
                "messages",
                "The model does not continue a message of the assistant: the last message must be the user's.")
        }
        writeThinking(value)
        if value["reasoning_content"]?.isBlankString == false, !message.hasAnthropicThinking {
            report.lose("messages[\(index)].reasoning_content")
        }
        if value["audio"]?.isObject == true { report.lose("messages[\(index)].audio") }
        try writeSaid(value, index, isLast: isLast && !message.hasToolCalls)
        if let refusal = value["refusal"], refusal.isString, !refusal.isBlankString {
            open(.assistant)
            writeText(refusal, of: refusal)
        }
        var calls = message.toolCalls
        while let call = calls.next() { writeCall(ChatToolCall(call).id, call["function"], index) }
        if let call = value["function_call"], call.isObject { writeCall(nil, call, index) }
    }

    mutating func writeSaid(_ value: JSONValue, _ index: Int, isLast: Bool) throws(EncodingRefusal) {
        guard let content = ChatMessage(value).content else { return }
        if content.isString {
            if content.isBlankString { return }
            open(.assistant)
            return writeText(content, of: value, trimmingEnd: isLast)
        }
        let count = content.count
        var parts = content.elements
        var place = -1
        while let part = parts.next() {
            place += 1
            guard let text = ChatPart(part).text, text.isString else {
                report.lose("messages[\(index)].content[\(place)]")
                continue
            }
            if text.isBlankString { continue }
            open(.assistant)
            writeText(text, of: part, trimmingEnd: isLast && place == count - 1)
        }
    }

    /// The thinking of the turn, unchanged, before everything else in it.
    mutating func writeThinking(_ value: JSONValue) {
        let message = ChatMessage(value)
        if !message.hasAnthropicThinking { return }
        open(.assistant)
        var details = message.reasoningDetails
        var isAny = false
        while let detail = details.next() {
            guard detail["format"]?.equals(ReasoningDetails.anthropic) == true else { continue }
            if let signature = detail["signature"], signature.isString {
                isAny = true
                json.beginObject()
                json.key("type")
                json.string("thinking")
                json.key("thinking")
                if let text = detail["text"], text.isString { json.value(text) } else { json.string("") }
                json.key("signature")
                json.value(signature)
                json.endObject()
            } else if let data = detail["data"], data.isString {
                isAny = true
                json.beginObject()
                json.key("type")
                json.string("redacted_thinking")
                json.key("data")
                json.value(data)
                json.endObject()
            }
        }
        if isAny { return }
        // As other gateways hand the blocks out.
        var blocks = value.elements(of: "thinking_blocks")
        while let block = blocks.next() { if block.isObject { json.value(block) } }
    }

    mutating func writeCall(_ id: JSONValue?, _ function: JSONValue?, _ index: Int) {
        open(.assistant)
        json.beginObject()
        json.key("type")
        json.string("tool_use")
        json.key("id")
        lastCallID = id?.string.map(Self.cleaned) ?? "call_\(index)"
        json.string(lastCallID)
        json.key("name")
        if let name = function?["name"], name.isString { json.value(name) } else { json.string("") }
        json.key("input")
        writeInput(function?["arguments"], index)
        json.endObject()
    }

    /// The arguments as the object they are to be; what is not one (a call that was cut) is wrapped, as it must be one.
    mutating func writeInput(_ arguments: JSONValue?, _ index: Int) {
        guard let arguments, !arguments.isNull, !arguments.isBlankString else { return json.object { _ in } }
        if arguments.isObject { return json.value(arguments) }
        let text = ByteBuffer(capacity: arguments.range.count)
        if !arguments.appendString(to: text) { text.append(arguments.rawBytes) }
        let tape = tape
        if (try? tape.scan(text.span)) != nil {
            let root = tape.root(over: text.span)
            if root.isObject { return json.raw(root.rawBytes) }
        }
        report.adapt("messages[\(index)].tool_calls: arguments that are no JSON object")
        json.beginObject()
        json.key("_raw")
        json.string(text.span)
        json.endObject()
    }

    /// Ids have these characters only (section 4 of the sheet).
    static func cleaned(_ id: String) -> String {
        let isClean = !id.isEmpty && id.utf8.allSatisfy(isIDByte)
        if isClean { return id }
        if id.isEmpty { return "call_0" }
        return String(decoding: id.utf8.map { isIDByte($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
    }

    static func isIDByte(_ byte: UInt8) -> Bool {
        byte.isASCIILetter || byte.isDecimalDigit || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }
}
