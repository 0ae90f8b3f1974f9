internal import SluiceCore
package import SluiceJSON

/// How reasoning that its provider wants back unchanged travels through OpenAI's dialect, which has no place for it: in
/// `reasoning_details`, as OpenRouter does it (openai-compatible sheet, section 3), and for Gemini's calls in
/// `extra_content.google.thought_signature`, as Google's compatible endpoint does it (section 7 of the Gemini sheet).
package enum ReasoningDetails {
    package static let anthropic: StaticString = "anthropic-claude-v1"
    package static let bedrock: StaticString = "amazon-bedrock-v1"
    package static let google: StaticString = "google-gemini-v1"
    package static let openAI: StaticString = "openai-responses-v1"

    /// One entry: `reasoning.text` with its signature, or `reasoning.encrypted`.
    static func write(_ block: ReasoningBlock, index: Int, _ json: inout JSONWriter) {
        json.beginObject()
        json.key("type")
        if let text = block.text {
            json.string("reasoning.text")
            json.key("text")
            text.write(&json)
            json.key("signature")
        } else {
            json.string("reasoning.encrypted")
            json.key("data")
        }
        block.seal.write(&json)
        json.key("format")
        json.string(block.format)
        json.key("index")
        json.int(index)
        json.endObject()
    }

    static func append(thoughtSignature signature: ReplyText, to buffer: ByteBuffer) {
        buffer.append(",\"extra_content\":{\"google\":{\"thought_signature\":\"" as StaticString)
        signature.append(escapedTo: buffer)
        buffer.append("\"}}" as StaticString)
    }
}

extension ChatMessage {
    /// Calls `body` with each block of reasoning that has this format: its text (`nil` for an encrypted one) and its seal.
    package func forEachReasoningBlock(_ format: StaticString, _ body: (_ text: JSONValue?, _ seal: JSONValue) -> Void)
    {
        var details = reasoningDetails
        while let detail = details.next() {
            guard detail["format"]?.equals(format) == true else { continue }
            if let signature = detail["signature"], signature.isString {
                body(detail["text"], signature)
            } else if let data = detail["data"], data.isString {
                body(nil, data)
            }
        }
    }
}

extension ChatToolCall {
    /// Gemini's signature of the call, where the application sends it back.
    package var thoughtSignature: JSONValue? {
        @_lifetime(copy self) get { value["extra_content"]?["google"]?["thought_signature"] }
    }
}
