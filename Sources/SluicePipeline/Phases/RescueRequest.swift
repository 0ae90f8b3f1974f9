internal import SluiceConfig
internal import SluiceCore
internal import SluiceJSON
internal import SluiceProviders

/// What is asked of a model that goes on with an answer: the request as it was, and what there is as a last message of the assistant.
///
/// The same in OpenAI's dialect and in Messages. How long the answer may be is what is left of it; nothing else is changed.
enum RescueRequest {
    /// Whether an answer to the request can be given back as a message and be continued: its form is not laid down, and the last word
    /// was not the assistant's already.
    static func takesAnswer(_ root: JSONValue) -> Bool {
        if let format = root["response_format"], !format.isNull, format["type"]?.equals("text") != true { return false }
        if let output = root["output_config"], !output.isNull { return false }
        guard let last = lastMessage(root), let role = last["role"] else { return false }
        return !role.equals("assistant")
    }

    @_lifetime(copy root)
    private static func lastMessage(_ root: JSONValue) -> JSONValue? {
        guard let messages = root["messages"], messages.count > 0 else { return nil }
        return messages[messages.count - 1]
    }

    /// - Parameters:
    ///   - text: what there is.
    ///   - root: a request that takes it.
    static func adding(_ text: Span<UInt8>, to root: JSONValue) -> ByteBuffer {
        let body = ByteBuffer(capacity: root.documentBytes.count + text.count + text.count / 8 + 64)
        var edits = JSONEdits()
        if let messages = root["messages"] {
            let copy = ByteBuffer(copying: text)
            edits.append(to: messages) { json in
                json.beginObject()
                json.key("role")
                json.string("assistant" as StaticString)
                json.key("content")
                json.string(copy.span)
                json.endObject()
            }
        }
        // About as many tokens as the estimates of usage have it.
        let spent = Usage.estimate(requestByteCount: 0, textByteCount: text.count).outputTokens
        for name in ["max_tokens", "max_completion_tokens"] as [StaticString] {
            if let limit = root[name]?.int, limit > 0 { edits.set(name, in: root) { $0.int(max(1, limit - spent)) } }
        }
        edits.splices(over: root).append(to: body, from: root.documentBytes)
        return body
    }

    /// Tells a provider of OpenAI's dialect that its model is to go on with the last message.
    static func mark(_ root: JSONValue, _ continuation: Capabilities.Continuation, _ edits: inout JSONEdits) {
        switch continuation {
        case .none, .message: break
        case .partial: if let last = lastMessage(root) { edits.set("partial", in: last) { $0.bool(true) } }
        case .prefix: if let last = lastMessage(root) { edits.set("prefix", in: last) { $0.bool(true) } }
        case .continueFinalMessage:
            edits.set("continue_final_message", in: root) { $0.bool(true) }
            edits.set("add_generation_prompt", in: root) { $0.bool(false) }
        }
    }
}
