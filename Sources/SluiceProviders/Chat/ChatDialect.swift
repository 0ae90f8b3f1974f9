package import SluiceCore
package import SluiceHTTP
package import SluiceJSON

/// A provider's wire format for chat (and embeddings, where it has them): stateless, one value a format.
///
/// Requests are read once, from OpenAI's form, and written straight into the provider's; replies become calls of a `ReplySink`.
package protocol ChatDialect: Sendable {
    /// How a stream of the dialect is cut into events.
    var framing: StreamFraming { get }

    /// The path after the base URL's, with its query: `/messages`. Percent-encoded where the model's name needs it.
    func chatTarget(_ request: borrowing ChatRequest) -> String
    /// Fields that belong to the dialect, such as `anthropic-version`; credentials are none of its business.
    func addFields(_ request: borrowing ChatRequest, to fields: inout HeaderFields)
    /// Writes the provider's request.
    ///
    /// - Throws: what cannot be said in the provider's words at all.
    func encode(
        _ request: borrowing ChatRequest, _ capabilities: Capabilities, into body: ByteBuffer,
        _ report: inout FieldReport
    ) throws(EncodingRefusal)
    func makeDecoder() -> any ReplyDecoder
    /// Reads an error reply.
    ///
    /// - Parameter document: its body if that is JSON.
    func fault(_ head: ResponseHead, _ document: JSONValue?, text: Span<UInt8>) -> ProviderFault

    /// The dialect's way of making embeddings; `nil` if it has none.
    var embeddings: (any EmbeddingDialect)? { get }
    /// Whether providers of the dialect say at `/models` which models they have.
    var hasModelList: Bool { get }
}

extension ChatDialect {
    package var framing: StreamFraming { .serverSentEvents }
    package func addFields(_ request: borrowing ChatRequest, to fields: inout HeaderFields) {}
    package var embeddings: (any EmbeddingDialect)? { nil }
    package var hasModelList: Bool { true }
}

/// How the events of a stream are told apart.
package enum StreamFraming: Sendable {
    case serverSentEvents
    /// `application/vnd.amazon.eventstream`: the event's name is `:event-type`, or `:exception-type`.
    case amazonEventStream
    /// Text messages of a WebSocket, each a document; the request is the first.
    case webSocketMessages
}

/// A provider's wire format for embeddings.
package protocol EmbeddingDialect: Sendable {
    func target(model: String) -> String
    /// Fields that belong to the dialect.
    func addFields(to fields: inout HeaderFields)
    /// - Parameter root: OpenAI's embeddings request (section 9 of the OpenAI sheet).
    func encode(
        _ root: JSONValue, model: String, into body: ByteBuffer, _ report: inout FieldReport
    ) throws(EncodingRefusal)
    /// The same, for providers that want to be told in the request which application asks.
    func encode(
        _ root: JSONValue, model: String, applicationID: String?, into body: ByteBuffer, _ report: inout FieldReport
    ) throws(EncodingRefusal)
    /// Writes OpenAI's reply.
    ///
    /// - Parameters:
    ///   - asBase64: the application asked for `encoding_format` base64: little-endian 32-bit floats.
    ///   - estimate: what it cost, if the provider does not say.
    /// - Returns: what it cost; `nil` if the document is no such reply, and then nothing counts that was written.
    func decode(
        _ document: JSONValue, model: String, asBase64: Bool, estimate: Usage, into body: ByteBuffer
    ) -> Usage?
    /// Reads an error in a reply with status 200; `nil` if it is none.
    func fault(in document: JSONValue) -> ProviderFault?
}

extension EmbeddingDialect {
    package func fault(in document: JSONValue) -> ProviderFault? { nil }
    package func addFields(to fields: inout HeaderFields) {}

    package func encode(
        _ root: JSONValue, model: String, applicationID: String?, into body: ByteBuffer, _ report: inout FieldReport
    ) throws(EncodingRefusal) {
        try encode(root, model: model, into: body, &report)
    }
}
