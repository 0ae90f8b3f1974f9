internal import SluiceCore
internal import SluiceJSON

/// `contents` and `systemInstruction`: roles in the order that Gemini insists on (section 2 of the sheet, "Turn rules").
extension GeminiEncoder {
    /// Stands in for the signature of a call that has lost its own, as Google documents it (section 7 of the sheet). Whether it
    /// is to be plain or base64 is not verified; most clients send it plain.
    static let dummySignature: StaticString = "skip_thought_signature_validator"

    /// - Returns: whether system messages are still to be written, as the instruction.
    mutating func writeContents(_ request: borrowing ChatRequest) throws(EncodingRefusal) -> Bool {
        json.key("contents")
        json.beginArray()
        let currentTurn = Self.startOfCurrentTurn(request)
        var hasSystem = false
        var messages = request.messages
        var index = 0
        while let value = messages.next() {
            let message = ChatMessage(value)
            let role = message.role
            if role != .tool { writeResults() }
            switch role {
            case .system: hasSystem = true
            case .user: try writeUser(message, index)
            case .assistant: try writeModel(message, index, isCurrent: index > currentTurn)
            case .tool: try takeResult(message, index)
            case .unknown: throw EncodingRefusal("messages[\(index)].role", "The message has no role that is known.")
            }
            index += 1
        }
        writeResults()
        let isSystemAlone = hasSystem && !hasContents
        if isSystemAlone {
            // Instructions without contents are refused.
            open(.user)
            writeSystemParts(request)
            report.adapt("messages: the system message as the user's")
        }
        if !hasContents {
            open(.user)
            writeText(" ")
        }
        close()
        json.endArray()
        return hasSystem && !isSystemAlone
    }

    /// The last message of the user: calls after it belong to the turn whose signatures are checked.
    private static func startOfCurrentTurn(_ request: borrowing ChatRequest) -> Int {
        var last = -1
        var index = 0
        var messages = request.messages
        while let value = messages.next() {
            if ChatMessage(value).role == .user { last = index }
            index += 1
        }
        return last
    }

    // MARK: Roles

    mutating func open(_ role: Role) {
        if openRole == role { return }
        close()
        if !hasContents, role == .model {
            report.adapt("messages: an empty one of the user's before the first")
            open(.user)
            writeText(" ")
            close()
        }
        json.beginObject()
        json.key("role")
        json.string(role == .user ? "user" as StaticString : "model" as StaticString)
        json.key("parts")
        json.beginArray()
        openRole = role
        hasContents = true
    }

    private mutating func close() {
        if openRole == nil { return }
        json.endArray()
        json.endObject()
        openRole = nil
    }

    // MARK: The system

    mutating func writeSystemInstruction(_ request: borrowing ChatRequest) {
        json.key("systemInstruction")
        json.beginObject()
        json.key("parts")
        json.beginArray()
        writeSystemParts(request)
        json.endArray()
        json.endObject()
    }

    private mutating func writeSystemParts(_ request: borrowing ChatRequest) {
        var messages = request.messages
        var index = 0
        var count = 0
        while let value = messages.next() {
            let message = ChatMessage(value)
            defer { index += 1 }
            guard message.role == .system, let content = message.content else { continue }
            if content.isString {
                writeText(content)
                count += 1
            }
            var parts = content.elements
            var position = 0
            while let part = parts.next() {
                if let text = ChatPart(part).text {
                    writeText(text)
                    count += 1
                } else {
                    report.lose("messages[\(index)].content[\(position)]")
                }
                position += 1
            }
        }
        if count == 0 { writeText(" ") }
    }

    // MARK: The user

    private mutating func writeUser(_ message: borrowing ChatMessage, _ index: Int) throws(EncodingRefusal) {
        guard let content = message.content else { return }
        if content.isString { return writeText(content, role: .user) }
        var parts = content.elements
        var position = 0
        while let value = parts.next() {
            let part = ChatPart(value)
            let path = "messages[\(index)].content[\(position)]"
            switch part.kind {
            case .text, .refusal: if let text = part.text { writeText(text, role: .user) }
            case .image: try writeImage(part, path)
            case .audio: try writeAudio(part, path)
            case .file: try writeFile(part, path)
            case .unknown: report.lose(path)
            }
            position += 1
        }
    }

    // MARK: The model

    private mutating func writeModel(_ message: borrowing ChatMessage, _ index: Int, isCurrent: Bool)
        throws(EncodingRefusal)
    {
        turn += 1
        if let content = message.content {
            if content.isString { writeText(content, role: .model) }
            var parts = content.elements
            var position = 0
            while let part = parts.next() {
                if let text = ChatPart(part).text {
                    writeText(text, role: .model)
                } else {
                    report.lose("messages[\(index)].content[\(position)]")
                }
                position += 1
            }
        } else if let refusal = message.value["refusal"] {
            writeText(refusal, role: .model)
        }
        writeSignatures(message)
        try writeCalls(message, index, isCurrent: isCurrent)
    }

    /// Signatures of text: each in a part of its own, as streams bring them.
    private mutating func writeSignatures(_ message: borrowing ChatMessage) {
        var details = message.reasoningDetails
        while let detail = details.next() {
            guard detail["format"]?.equals(ReasoningDetails.google) == true else { continue }
            guard let seal = detail["data"], seal.isString else { continue }
            open(.model)
            json.beginObject()
            json.key("text")
            json.string("")
            json.key("thoughtSignature")
            json.value(seal)
            json.endObject()
        }
    }

    private mutating func writeCalls(_ message: borrowing ChatMessage, _ index: Int, isCurrent: Bool)
        throws(EncodingRefusal)
    {
        let isSigned = Self.isSigned(message)
        var calls = message.toolCalls
        var place = 0
        while let value = calls.next() {
            let call = ChatToolCall(value)
            let path = "messages[\(index)].tool_calls[\(place)]"
            guard let name = call.name, let known = name.string else {
                throw EncodingRefusal(path, "The provider has only calls of functions, and this one names none.")
            }
            let id = call.id?.string ?? ""
            // Names that begin so are ours, or another provider's: Gemini does not know them.
            let sendsID = isSigned && !id.isEmpty && !id.hasPrefix("call_")
            open(.model)
            json.beginObject()
            json.key("functionCall")
            json.beginObject()
            if sendsID {
                json.key("id")
                json.string(id)
            }
            json.key("name")
            json.value(name)
            json.key("args")
            if !embedded.writeArguments(call.arguments, &json) { report.adapt("\(path).function.arguments: no object") }
            json.endObject()
            if let signature = call.thoughtSignature, signature.isString {
                json.key("thoughtSignature")
                json.value(signature)
            } else if place == 0, isCurrent, !isSigned, isGemini3 {
                json.key("thoughtSignature")
                json.string(Self.dummySignature)
            }
            json.endObject()
            self.calls[id] = Call(name: known, turn: turn, place: place, sendsID: sendsID)
            place += 1
        }
    }

    private static func isSigned(_ message: borrowing ChatMessage) -> Bool {
        var calls = message.toolCalls
        while let call = calls.next() { if ChatToolCall(call).thoughtSignature?.isString == true { return true } }
        return false
    }

    // MARK: Text

    /// A part of text in a content of that role; an empty text is none.
    private mutating func writeText(_ text: JSONValue, role: Role) {
        guard text.isString, !text.equals("") else { return }
        open(role)
        writeText(text)
    }

    private mutating func writeText(_ text: JSONValue) {
        json.beginObject()
        json.key("text")
        json.value(text)
        json.endObject()
    }

    private mutating func writeText(_ text: StaticString) {
        json.beginObject()
        json.key("text")
        json.string(text)
        json.endObject()
    }
}
