internal import SluiceCore
internal import SluiceJSON

/// The part of `ChatAdaptation` that is about messages.
struct MessageRewriting {
    private let capabilities: Capabilities
    /// What the model is told beside what the application says.
    private var instruction: String?
    /// What has to go before the first message of the user.
    private var prefix = ""

    init(_ capabilities: Capabilities, instruction: String?) {
        self.capabilities = capabilities
        self.instruction = instruction
    }

    mutating func rewrite(
        _ messages: JSONValue, _ edits: inout JSONEdits, _ report: inout FieldReport
    ) throws(EncodingRefusal) {
        if !capabilities.systemRole { collectSystem(messages, &edits, &report) }
        if !capabilities.systemRole, let instruction {
            prefix += (prefix.isEmpty ? "" : "\n\n") + instruction
            self.instruction = nil
        }
        var elements = messages.elements
        var index = 0
        var lastRole = ChatMessage.Role.unknown
        var hasCalls = false
        while let value = elements.next() {
            let message = ChatMessage(value)
            try rewrite(message, index, &edits, &report)
            lastRole = message.role
            hasCalls = message.hasToolCalls
            index += 1
        }
        if !prefix.isEmpty { Self.add(role: "user", prefix, toStartOf: messages, &edits) }
        if let instruction { Self.add(role: "system", instruction, toStartOf: messages, &edits) }
        if lastRole == .assistant, !hasCalls, !capabilities.prefill { Self.continueAnswer(messages, &edits, &report) }
    }

    // MARK: System

    private mutating func collectSystem(_ messages: JSONValue, _ edits: inout JSONEdits, _ report: inout FieldReport) {
        var elements = messages.elements
        while let value = elements.next() {
            let message = ChatMessage(value)
            guard message.role == .system else { continue }
            if let text = message.plainText, !text.isEmpty { prefix += (prefix.isEmpty ? "" : "\n\n") + text }
            edits.remove(value, from: messages)
            report.adapt("messages: system in the user's")
        }
    }

    private static func add(role: StaticString, _ text: String, toStartOf messages: JSONValue, _ edits: inout JSONEdits)
    {
        edits.prepend(to: messages) { json in write(role, text, &json) }
    }

    private static func write(_ role: StaticString, _ text: String, _ json: inout JSONWriter) {
        json.object { json in
            json.key("role")
            json.string(role)
            json.key("content")
            json.string(text)
        }
    }

    private static func continueAnswer(_ messages: JSONValue, _ edits: inout JSONEdits, _ report: inout FieldReport) {
        edits.append(to: messages) { json in
            write("user", "Continue your last message exactly where it ends, without repeating any of it.", &json)
        }
        report.adapt("messages: a prefill by an instruction")
    }

    // MARK: One message

    private mutating func rewrite(
        _ message: borrowing ChatMessage, _ index: Int, _ edits: inout JSONEdits, _ report: inout FieldReport
    ) throws(EncodingRefusal) {
        guard message.value.isObject else { return }
        switch message.role {
        case .system:
            if !capabilities.systemRole { return }
            guard let suffix = instruction else { break }
            instruction = nil
            return setContent(message, "", suffix, &edits)
        case .user:
            let before = prefix
            prefix = ""
            let drops = try droppedParts(of: message, index, &report)
            if before.isEmpty && drops == 0 { return }
            return setContent(message, before, "", &edits)
        case .assistant where !capabilities.tools && message.hasToolCalls: return sayCalls(message, &edits, &report)
        case .tool where !capabilities.tools: return sayResult(message, &edits, &report)
        default: break
        }
        if try droppedParts(of: message, index, &report) > 0 { setContent(message, "", "", &edits) }
    }

    /// Whether the model takes a part.
    private func takes(_ part: borrowing ChatPart) -> Bool {
        switch part.kind {
        case .image:
            if !capabilities.images { return false }
            guard !capabilities.imageURLs, let url = part.imageURL?.escapedBytes else { return true }
            return url.hasPrefixIgnoringCase("data:")
        case .audio: return capabilities.audio
        case .file: return capabilities.files
        default: return true
        }
    }

    /// How many parts of a message the model does not take: they are reported.
    private func droppedParts(
        of message: borrowing ChatMessage, _ index: Int, _ report: inout FieldReport
    ) throws(EncodingRefusal) -> Int {
        guard let content = message.content, content.isArray else { return 0 }
        var parts = content.elements
        var position = 0
        var dropped = 0
        while let value = parts.next() {
            let part = ChatPart(value)
            if !takes(part) {
                dropped += 1
                let kind: StaticString =
                    switch part.kind {
                    case .image: "image_url"
                    case .audio: "input_audio"
                    default: "file"
                    }
                report.lose("messages[\(index)].content[\(position)].\(kind)")
            }
            position += 1
        }
        if dropped > 0, dropped == position {
            throw EncodingRefusal(
                "messages[\(index)].content",
                "The model takes no images, audio or files of this kind, and the message has nothing else.")
        }
        return dropped
    }

    /// Writes a message's content anew: with a text before or after it, and without the parts that the model does not take.
    private func setContent(
        _ message: borrowing ChatMessage, _ before: String, _ after: String, _ edits: inout JSONEdits
    ) {
        let content = message.content
        guard let content, content.isArray else {
            let text = content?.string ?? ""
            let pieces = [before, text, after].filter { !$0.isEmpty }
            return edits.set("content", in: message.value) { $0.string(pieces.joined(separator: "\n\n")) }
        }
        edits.set("content", in: message.value) { json in
            json.beginArray()
            if !before.isEmpty { Self.writePart(before, &json) }
            var parts = content.elements
            while let value = parts.next() { if takes(ChatPart(value)) { json.value(value) } }
            if !after.isEmpty { Self.writePart(after, &json) }
            json.endArray()
        }
    }

    private static func writePart(_ text: String, _ json: inout JSONWriter) {
        json.object { json in
            json.key("type")
            json.string("text")
            json.key("text")
            json.string(text)
        }
    }

    // MARK: Tools of former turns

    private func sayCalls(_ message: borrowing ChatMessage, _ edits: inout JSONEdits, _ report: inout FieldReport) {
        var text = message.plainText ?? ""
        var calls = message.toolCalls
        while let value = calls.next() {
            let call = ChatToolCall(value)
            if !text.isEmpty { text += "\n" }
            text += "Called \(call.name?.string ?? "") with \(call.arguments?.string ?? "{}")."
        }
        edits.remove("tool_calls", from: message.value)
        edits.set("content", in: message.value) { $0.string(text) }
        report.adapt("messages: tool calls as text")
    }

    private func sayResult(_ message: borrowing ChatMessage, _ edits: inout JSONEdits, _ report: inout FieldReport) {
        edits.set("role", in: message.value) { $0.string("user" as StaticString) }
        edits.remove("tool_call_id", from: message.value)
        edits.set("content", in: message.value) { $0.string("The result was: " + (message.plainText ?? "")) }
        report.adapt("messages: tool calls as text")
    }
}
