internal import SluiceCore
internal import SluiceJSON

/// `messages` and `system`: roles that alternate and begin with the user, and no text that is blank (section 2 of the sheet).
extension ConverseEncoder {
    mutating func writeMessages(_ request: borrowing ChatRequest) throws(EncodingRefusal) {
        json.key("messages")
        json.beginArray()
        var messages = request.messages
        var index = 0
        while let value = messages.next() {
            let message = ChatMessage(value)
            switch message.role {
            case .system: break
            case .user: try writeUser(message, index)
            case .assistant: try writeAssistant(message, index)
            case .tool: try writeResult(message, index)
            case .unknown: throw EncodingRefusal("messages[\(index)].role", "The message has no role that is known.")
            }
            index += 1
        }
        if !hasMessages {
            open(isUser: true)
            writeText(".")
            report.adapt("messages: one of the user's, since there was none")
        }
        close()
        json.endArray()
    }

    // MARK: Roles

    mutating func open(isUser: Bool) {
        if isUserOpen == isUser { return }
        close()
        if !hasMessages, !isUser {
            report.adapt("messages: one of the user's before the first")
            open(isUser: true)
            writeText(".")
            close()
        }
        json.beginObject()
        json.key("role")
        json.string(isUser ? "user" as StaticString : "assistant" as StaticString)
        json.key("content")
        json.beginArray()
        isUserOpen = isUser
        hasMessages = true
    }

    private mutating func close() {
        if isUserOpen == nil { return }
        if hasDocument, !hasText {
            writeText("The document is attached.")
            report.adapt("messages: a text beside the document")
        }
        hasText = false
        hasDocument = false
        json.endArray()
        json.endObject()
        isUserOpen = nil
    }

    // MARK: The system

    mutating func writeSystem(_ request: borrowing ChatRequest) {
        let text = ByteBuffer(capacity: 256)
        var system = JSONWriter(into: text)
        system.beginArray()
        var messages = request.messages
        var index = 0
        while let value = messages.next() {
            let message = ChatMessage(value)
            defer { index += 1 }
            guard message.role == .system, let content = message.content else { continue }
            if content.isString { Self.writeBlock(content, &system) }
            var parts = content.elements
            var position = 0
            while let part = parts.next() {
                if let piece = ChatPart(part).text {
                    Self.writeBlock(piece, &system)
                    Self.writeCachePoint(part, &system)
                } else {
                    report.lose("messages[\(index)].content[\(position)]")
                }
                position += 1
            }
        }
        for instruction in instructions {
            system.object { json in
                json.key("text")
                json.string(instruction)
            }
        }
        system.endArray()
        if text.count <= 2 { return }
        json.key("system")
        json.raw(text.span)
    }

    /// Anthropic's mark, which some applications put on parts: the prefix up to here is to be cached.
    private static func writeCachePoint(_ part: JSONValue, _ json: inout JSONWriter) {
        guard let control = part["cache_control"], control.isObject else { return }
        json.beginObject()
        json.key("cachePoint")
        json.beginObject()
        json.key("type")
        json.string("default")
        if let ttl = control["ttl"], ttl.equals("5m") || ttl.equals("1h") {
            json.key("ttl")
            json.value(ttl)
        }
        json.endObject()
        json.endObject()
    }

    // MARK: The user

    private mutating func writeUser(_ message: borrowing ChatMessage, _ index: Int) throws(EncodingRefusal) {
        guard let content = message.content else { return }
        if content.isString { return writeText(content, isUser: true) }
        var parts = content.elements
        var position = 0
        while let value = parts.next() {
            let part = ChatPart(value)
            let path = "messages[\(index)].content[\(position)]"
            switch part.kind {
            case .text, .refusal: if let text = part.text { writeText(text, isUser: true) }
            case .image, .audio, .file:
                open(isUser: true)
                try writeMedia(part, path)
            case .unknown: report.lose(path)
            }
            if isUserOpen == true { Self.writeCachePoint(value, &json) }
            position += 1
        }
    }

    private mutating func writeMedia(_ part: borrowing ChatPart, _ path: String) throws(EncodingRefusal) {
        var out = json
        switch part.kind {
        case .image: try writeImage(part, path, &out)
        case .audio: try writeAudio(part, path, &out)
        default: try writeDocument(part, path, &out)
        }
        json = out
    }

    // MARK: The assistant

    private mutating func writeAssistant(_ message: borrowing ChatMessage, _ index: Int) throws(EncodingRefusal) {
        writeReasoning(message)
        if let content = message.content {
            if content.isString { writeText(content, isUser: false) }
            var parts = content.elements
            var position = 0
            while let part = parts.next() {
                if let text = ChatPart(part).text {
                    writeText(text, isUser: false)
                } else {
                    report.lose("messages[\(index)].content[\(position)]")
                }
                position += 1
            }
        } else if let refusal = message.value["refusal"] {
            writeText(refusal, isUser: false)
        }
        var calls = message.toolCalls
        var position = 0
        while let value = calls.next() {
            try writeCall(ChatToolCall(value), "messages[\(index)].tool_calls[\(position)]")
            position += 1
        }
    }

    /// Reasoning comes first, and only with the seal that Bedrock gave it. Blocks of Anthropic's own API have the same seal.
    private mutating func writeReasoning(_ message: borrowing ChatMessage) {
        var details = message.reasoningDetails
        while let detail = details.next() {
            guard let format = detail["format"],
                format.equals(ReasoningDetails.bedrock) || format.equals(ReasoningDetails.anthropic)
            else { continue }
            if let text = detail["text"], text.isString, let signature = detail["signature"], signature.isString {
                open(isUser: false)
                json.beginObject()
                json.key("reasoningContent")
                json.beginObject()
                json.key("reasoningText")
                json.beginObject()
                json.key("text")
                json.value(text)
                json.key("signature")
                json.value(signature)
                json.endObject()
            } else if let data = detail["data"], data.isString {
                open(isUser: false)
                json.beginObject()
                json.key("reasoningContent")
                json.beginObject()
                json.key("redactedContent")
                json.value(data)
            } else {
                continue
            }
            json.endObject()
            json.endObject()
        }
    }

    private mutating func writeCall(_ call: borrowing ChatToolCall, _ path: String) throws(EncodingRefusal) {
        guard let name = call.name, let known = name.string else {
            throw EncodingRefusal(path, "The provider has only calls of functions, and this one names none.")
        }
        hasToolBlocks = true
        if !calledNames.contains(known), calledNames.count < Self.calledNamesMax { calledNames.append(known) }
        open(isUser: false)
        json.beginObject()
        json.key("toolUse")
        json.beginObject()
        json.key("toolUseId")
        json.string(Self.toolUseID(call.id))
        json.key("name")
        json.value(name)
        json.key("input")
        if !embedded.writeArguments(call.arguments, &json) { report.adapt("\(path).function.arguments: no object") }
        json.endObject()
        json.endObject()
    }

    private static let calledNamesMax = 256
    private static let toolUseIDBytesMax = 64

    /// An id that Bedrock takes: 1 to 64 of `A-Za-z0-9_.:-`. The same for the same id, and another one for another.
    static func toolUseID(_ value: JSONValue?) -> String {
        let id = value?.string ?? ""
        var isFit = !id.isEmpty && id.utf8.count <= toolUseIDBytesMax
        var text = ""
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
        for byte in id.utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
            let isAllowed =
                byte.isASCIILetter || byte.isDecimalDigit || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "-")
            if !isAllowed { isFit = false }
            if text.utf8.count < 40 { text.unicodeScalars.append(isAllowed ? Unicode.Scalar(byte) : "_") }
        }
        return isFit ? id : "\(text)-\(String(hash, radix: 16))"
    }

    // MARK: Text

    mutating func writeText(_ text: JSONValue, isUser: Bool) {
        if Self.isBlank(text) { return }
        open(isUser: isUser)
        hasText = true
        Self.writeBlock(text, &json)
    }

    mutating func writeText(_ text: StaticString) {
        json.beginObject()
        json.key("text")
        json.string(text)
        json.endObject()
    }

    /// Blank text is refused.
    static func writeBlock(_ text: JSONValue, _ json: inout JSONWriter) {
        if isBlank(text) { return }
        json.beginObject()
        json.key("text")
        json.value(text)
        json.endObject()
    }

    private static func isBlank(_ text: JSONValue) -> Bool {
        guard let bytes = text.escapedBytes else { return true }
        var isEscape = false
        for index in bytes.indices {
            let byte = bytes[index]
            if isEscape {
                if byte != UInt8(ascii: "n"), byte != UInt8(ascii: "r"), byte != UInt8(ascii: "t") { return false }
                isEscape = false
            } else if byte == UInt8(ascii: "\\") {
                isEscape = true
            } else if byte != ASCII.space {
                return false
            }
        }
        return true
    }
}
