package import SluiceCore
internal import SluiceJSON

/// The small vocabulary that every provider's chat reply is put into when the application speaks another dialect: a decoder
/// calls, a writer of the application's dialect takes. The same for streams, piece by piece, and for whole replies.
///
/// Calls come in the order of the reply. A piece is passed on in the call that brings it.
package protocol ReplySink: AnyObject {
    /// The provider has begun; what it calls the reply and the model that answers. May come more than once, or not at all.
    func begin(id: ReplyText?, model: ReplyText?)
    func text(_ text: ReplyText)
    func reasoning(_ text: ReplyText)
    /// A block of reasoning is complete, with what its provider wants back with it, unchanged, in the next turn.
    func reasoningBlock(_ block: ReasoningBlock)
    func refusal(_ text: ReplyText)
    /// A picture that the model made.
    func image(_ image: ReplyImage)
    /// A tool call begins; `index` counts the reply's calls from 0, one more each time.
    func toolCall(_ index: Int, _ call: ToolCallStart)
    /// A piece of the JSON text of that call's arguments. A call without any has the arguments `{}`.
    func toolArguments(_ index: Int, _ fragment: ReplyText)
    /// The provider says why the answer ends. Its usage may still follow.
    func finish(_ reason: FinishReason)
    /// What it cost; later calls replace earlier ones.
    func usage(_ usage: Usage)
    /// The provider failed.
    func fault(_ fault: ProviderFault)
}

extension ReplySink {
    /// For dialects that have no place for pictures.
    package func image(_ image: ReplyImage) {}
}

/// A picture in an answer.
package struct ReplyImage: ~Escapable {
    /// Such as `image/png`.
    package let mediaType: ReplyText
    package let base64: ReplyText

    @_lifetime(copy mediaType, copy base64)
    package init(mediaType: ReplyText, base64: ReplyText) {
        self.mediaType = mediaType
        self.base64 = base64
    }

    /// Appends a data URL, as it stands in a JSON string.
    package func append(escapedTo buffer: ByteBuffer) {
        buffer.append("data:" as StaticString)
        mediaType.append(escapedTo: buffer)
        buffer.append(";base64," as StaticString)
        base64.append(escapedTo: buffer)
    }
}

/// Why an answer ended, in OpenAI's words.
package enum FinishReason: String, Sendable {
    case stop
    case length
    case toolCalls = "tool_calls"
    case contentFilter = "content_filter"
}

/// The beginning of a tool call.
package struct ToolCallStart: ~Escapable {
    /// As the provider names the call; `nil` if it does not, and then the writer does.
    package let id: ReplyText?
    package let name: ReplyText
    /// What Gemini wants back with the call (`thoughtSignature`).
    package let signature: ReplyText?

    @_lifetime(copy id, copy name, copy signature)
    package init(id: ReplyText?, name: ReplyText, signature: ReplyText? = nil) {
        self.id = id
        self.name = name
        self.signature = signature
    }
}

/// A complete block of reasoning with its seal.
package struct ReasoningBlock: ~Escapable {
    /// Whose blocks look like this: the value of `format` in `reasoning_details`.
    package let format: StaticString
    /// What `reasoning` said of it, piece by piece; `nil` for a block that is encrypted.
    package let text: ReplyText?
    /// The signature over the text, or the encrypted block itself.
    package let seal: ReplyText

    @_lifetime(copy text, copy seal)
    package init(format: StaticString, text: ReplyText?, seal: ReplyText) {
        self.format = format
        self.text = text
        self.seal = seal
    }
}
