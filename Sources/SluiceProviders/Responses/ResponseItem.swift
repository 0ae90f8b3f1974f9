internal import SluiceCore
internal import SluiceJSON

/// Appends output items and their parts as JSON. What is text comes as the inside of a JSON string.
enum ResponseItem {
    // MARK: Parts

    enum Part {
        case text, refusal

        /// The member that says it.
        var member: StaticString {
            switch self {
            case .text: "text"
            case .refusal: "refusal"
            }
        }
    }

    static func append(_ part: Part, _ text: Span<UInt8>, to buffer: ByteBuffer) {
        switch part {
        case .text:
            buffer.append("{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":[],\"text\":\"" as StaticString)
        case .refusal: buffer.append("{\"type\":\"refusal\",\"refusal\":\"" as StaticString)
        }
        buffer.append(text)
        buffer.append("\"}" as StaticString)
    }

    static func appendSummary(_ text: Span<UInt8>, to buffer: ByteBuffer) {
        buffer.append("{\"type\":\"summary_text\",\"text\":\"" as StaticString)
        buffer.append(text)
        buffer.append("\"}" as StaticString)
    }

    // MARK: Items

    /// - Parameter parts: as JSON with commas in between.
    static func appendMessage(id: String, status: StaticString, parts: Span<UInt8>, to buffer: ByteBuffer) {
        buffer.append("{\"type\":\"message\",\"id\":\"" as StaticString)
        buffer.append(id)
        buffer.append("\",\"status\":\"" as StaticString)
        buffer.append(status)
        buffer.append("\",\"role\":\"assistant\",\"content\":[" as StaticString)
        buffer.append(parts)
        buffer.append("]}" as StaticString)
    }

    /// - Parameter summary: `nil` for reasoning of which nothing is shown.
    /// - Parameter sealed: `nil` for reasoning without a seal.
    static func appendReasoning(id: String, summary: ByteBuffer?, sealed: ByteBuffer?, to buffer: ByteBuffer) {
        buffer.append("{\"type\":\"reasoning\",\"id\":\"" as StaticString)
        buffer.append(id)
        buffer.append("\",\"summary\":[" as StaticString)
        if let summary { appendSummary(summary.span, to: buffer) }
        buffer.append(UInt8(ascii: "]"))
        if let sealed {
            buffer.append(",\"encrypted_content\":\"" as StaticString)
            buffer.append(sealed.span)
            buffer.append(UInt8(ascii: "\""))
        }
        buffer.append(UInt8(ascii: "}"))
    }

    /// - Parameter names: the members `call_id` and `name`.
    static func appendCall(
        id: String, names: Span<UInt8>, arguments: Span<UInt8>, status: StaticString, to buffer: ByteBuffer
    ) {
        buffer.append("{\"type\":\"function_call\",\"id\":\"" as StaticString)
        buffer.append(id)
        buffer.append("\"," as StaticString)
        buffer.append(names)
        buffer.append(",\"arguments\":\"" as StaticString)
        buffer.append(arguments)
        buffer.append("\",\"status\":\"" as StaticString)
        buffer.append(status)
        buffer.append("\"}" as StaticString)
    }

    /// A picture, as a tool of OpenAI's makes one.
    static func appendImage(id: String, base64: Span<UInt8>?, to buffer: ByteBuffer) {
        buffer.append("{\"type\":\"image_generation_call\",\"id\":\"" as StaticString)
        buffer.append(id)
        if let base64 {
            buffer.append("\",\"status\":\"completed\",\"result\":\"" as StaticString)
            buffer.append(base64)
            buffer.append("\"}" as StaticString)
        } else {
            buffer.append("\",\"status\":\"in_progress\",\"result\":null}" as StaticString)
        }
    }

    /// Whether arguments, as the inside of a JSON string, are a JSON text to its end.
    static func isWhole(_ arguments: ByteBuffer, _ tape: JSONTape) -> Bool {
        if arguments.isEmpty { return false }
        let text = ByteBuffer(capacity: arguments.count)
        ReplyText.escaped(arguments.span).append(plainTo: text)
        return (try? tape.scan(text.span)) != nil
    }

    /// The members `call_id` and `name` of a call.
    static func names(callID: ReplyText?, name: ReplyText, _ identity: inout ReplyIdentity) -> ByteBuffer {
        let names = ByteBuffer(capacity: 96)
        names.append("\"call_id\":\"" as StaticString)
        if let callID, !callID.isEmpty { callID.append(escapedTo: names) } else { names.append(identity.callID()) }
        names.append("\",\"name\":\"" as StaticString)
        name.append(escapedTo: names)
        names.append(UInt8(ascii: "\""))
        return names
    }
}
