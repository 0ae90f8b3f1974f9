internal import SluiceCore
internal import SluiceJSON

/// Writes `system` and `messages` (sections 4 and 10 of the Anthropic sheet).
///
/// Messages of one role that follow each other become one turn, so that the results of all calls stand together, before what the
/// user says next.
struct AnthropicMessageWriter {
    private enum Turn { case user, assistant }

    private let capabilities: Capabilities
    var json: JSONWriter
    var report: FieldReport
    private var turn: Turn?
    /// For results that do not name their call (OpenAI's older `function` messages).
    private var lastCallID = "call_0"
    private let tape = JSONTape()

    init(_ capabilities: Capabilities, _ json: JSONWriter, _ report: FieldReport) {
        self.capabilities = capabilities
        self.json = json
        self.report = report
    }

    // MARK: System

    mutating func writeSystem(
        _ request: borrowing ChatRequest, _ instructions: [StaticString]
    ) throws(EncodingRefusal) {
        var isOpen = false
        var isPastStart = false
        var index = -1
        var messages = request.messages
        while let value = messages.next() {
            index += 1
            let message = ChatMessage(value)
            if message.role != .system {
                isPastStart = true
                continue
            }
            if isPastStart { report.adapt("messages[\(index)]: a system message, put before all others") }
            guard let content = message.content else { continue }
            if content.isString {
                writeSystem(content, of: value, &isOpen)
                continue
            }
            var parts = content.elements
            var place = -1
            while let part = parts.next() {
                place += 1
                if let text = ChatPart(part).text, text.isString {
                    writeSystem(text, of: part, &isOpen)
                } else {
                    report.lose("messages[\(index)].content[\(place)]")
                }
            }
        }
        for instruction in instructions {
            openSystem(&isOpen)
            json.object { json in
                json.key("type")
                json.string("text")
                json.key("text")
                json.string(instruction)
            }
        }
        if isOpen { json.endArray() }
    }

    private mutating func openSystem(_ isOpen: inout Bool) {
        if isOpen { return }
        isOpen = true
        json.key("system")
        json.beginArray()
    }

    private mutating func writeSystem(_ text: JSONValue, of holder: JSONValue, _ isOpen: inout Bool) {
        if text.isBlankString { return }
        openSystem(&isOpen)
        writeText(text, of: holder)
    }

    // MARK: Messages

    mutating func writeMessages(_ request: borrowing ChatRequest) throws(EncodingRefusal) {
        json.key("messages")
        json.beginArray()
        let count = request.root["messages"]?.count ?? 0
        var index = -1
        var messages = request.messages
        while let value = messages.next() {
            index += 1
            let message = ChatMessage(value)
            if value["name"]?.isString == true, message.role != .tool { report.lose("messages[\(index)].name") }
            switch message.role {
            case .system: continue
            case .user: try writeUser(value, index)
            case .assistant: try writeAssistant(value, index, isLast: index == count - 1)
            case .tool: try writeResult(value, index)
            case .unknown:
                throw EncodingRefusal("messages[\(index)].role", "The role must be system, developer, user, assistant or tool.")
            }
        }
        closeTurn()
        json.endArray()
    }

    private mutating func open(_ wanted: Turn) {
        if turn == wanted { return }
        closeTurn()
        turn = wanted
        json.beginObject()
        json.key("role")
        if wanted == .user { json.string("user") } else { json.string("assistant") }
        json.key("content")
        json.beginArray()
    }

    private mutating func closeTurn() {
        if turn == nil { return }
        turn = nil
        json.endArray()
        json.endObject()
    }

    private mutating func writeUser(_ value: JSONValue, _ index: Int) throws(EncodingRefusal) {
        guard let content = ChatMessage(value).content else { return }
        if content.isString {
            if content.isBlankString { return }
            open(.user)
            return writeText(content, of: value)
        }
        var parts = content.elements
        var place = -1
        while let part = parts.next() {
            place += 1
            if ChatPart(part).text?.isBlankString == true { continue }
            open(.user)
            try writePart(part, "messages[\(index)].content[\(place)]")
        }
    }

    // MARK: What the model said

    private mutating func writeAssistant(_ value: JSONValue, _ index: Int, isLast: Bool) throws(EncodingRefusal) {
        let message = ChatMessage(value)
        if isLast, !message.hasToolCalls, !capabilities.prefill {
            throw EncodingRefusal(
                "messages", "The model does not continue a message of the assistant: the last message must be the user's.")
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

    private mutating func writeSaid(_ value: JSONValue, _ index: Int, isLast: Bool) throws(EncodingRefusal) {
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
    private mutating func writeThinking(_ value: JSONValue) {
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

    private mutating func writeCall(_ id: JSONValue?, _ function: JSONValue?, _ index: Int) {
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
    private mutating func writeInput(_ arguments: JSONValue?, _ index: Int) {
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

    private static func isIDByte(_ byte: UInt8) -> Bool {
        byte.isASCIILetter || byte.isDecimalDigit || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }

    // MARK: What tools said

    private mutating func writeResult(_ value: JSONValue, _ index: Int) throws(EncodingRefusal) {
        open(.user)
        json.beginObject()
        json.key("type")
        json.string("tool_result")
        json.key("tool_use_id")
        json.string(value["tool_call_id"]?.string.map(Self.cleaned) ?? lastCallID)
        if let content = ChatMessage(value).content {
            json.key("content")
            json.beginArray()
            if content.isString {
                if !content.isBlankString { writeText(content, of: content) }
            } else {
                var parts = content.elements
                var place = -1
                while let part = parts.next() {
                    place += 1
                    if ChatPart(part).text?.isBlankString == true { continue }
                    try writePart(part, "messages[\(index)].content[\(place)]")
                }
            }
            json.endArray()
        }
        if value["is_error"]?.bool == true {
            json.key("is_error")
            json.bool(true)
        }
        copy(["cache_control"], of: value)
        json.endObject()
    }

    // MARK: Parts

    private mutating func writePart(_ part: JSONValue, _ path: String) throws(EncodingRefusal) {
        let view = ChatPart(part)
        if let text = view.text, text.isString { return writeText(text, of: part) }
        var writer = AnthropicMediaWriter(capabilities, json)
        switch view.kind {
        case .image:
            try writer.writeImage(view.imageURL, of: part, path)
            if let detail = part["image_url"]?["detail"], !detail.equals("auto") { report.lose(path + ".image_url.detail") }
        case .file: try writer.writeFile(part, path)
        case .audio: throw EncodingRefusal(path + ".input_audio", "Anthropic's models do not listen to audio.")
        case .text, .refusal, .unknown:
            // A block in Anthropic's own words.
            guard part["source"]?.isObject == true || part["type"]?.equals("search_result") == true else {
                throw EncodingRefusal(path, "This kind of content is not known: \(part["type"]?.string ?? "it has no type").")
            }
            json.value(part)
            return
        }
        json = writer.json
    }

    /// A block of text, with what Anthropic's own fields say at its holder: the part, or the message whose content is a string.
    private mutating func writeText(_ text: JSONValue, of holder: JSONValue, trimmingEnd: Bool = false) {
        json.beginObject()
        json.key("type")
        json.string("text")
        json.key("text")
        if trimmingEnd, var said = text.string {
            // A text that the model is to continue must not end in white space.
            while let last = said.unicodeScalars.last, last.properties.isWhitespace { said.unicodeScalars.removeLast() }
            json.string(said)
        } else {
            json.value(text)
        }
        copy(["cache_control", "citations"], of: holder)
        json.endObject()
    }

    private mutating func copy(_ names: [StaticString], of holder: JSONValue) {
        for name in names {
            guard let value = holder[name], !value.isNull else { continue }
            json.key(name)
            json.value(value)
        }
    }
}

extension JSONValue {
    /// Whether it is a string of nothing but white space.
    var isBlankString: Bool {
        guard let text = escapedBytes else { return false }
        var index = 0
        while index < text.count {
            if text[index].isBlank {
                index += 1
            } else if text[index] == UInt8(ascii: "\\"), index + 1 < text.count,
                text[index + 1] == UInt8(ascii: "n") || text[index + 1] == UInt8(ascii: "t") || text[index + 1] == UInt8(ascii: "r")
            {
                index += 2
            } else {
                return false
            }
        }
        return true
    }
}
