package import SluiceCore
package import SluiceHTTP
package import SluiceJSON

/// Amazon Bedrock's Converse and ConverseStream (the Bedrock sheet). Below `https://bedrock-runtime.REGION.amazonaws.com`.
///
/// Embeddings are made by InvokeModel with each model's own body, which the sheet does not describe: there are none.
package struct ConverseDialect: ChatDialect {
    package init() {}

    package var framing: StreamFraming { .amazonEventStream }

    /// A model's id, or an ARN, is one segment of the path.
    package func chatTarget(_ request: borrowing ChatRequest) -> String {
        "/model/" + PathSegment.encoded(request.model) + (request.isStream ? "/converse-stream" : "/converse")
    }

    package func addFields(_ request: borrowing ChatRequest, to fields: inout HeaderFields) {
        if !request.isStream { return }
        fields.remove(.accept)
        fields.append(.accept, "application/vnd.amazon.eventstream")
    }

    package func encode(
        _ request: borrowing ChatRequest, _ capabilities: Capabilities, into body: ByteBuffer,
        _ report: inout FieldReport
    ) throws(EncodingRefusal) {
        var encoder = ConverseEncoder(capabilities, request.model, report, into: body)
        try encoder.write(request)
        report = encoder.report
    }

    package func makeDecoder() -> any ReplyDecoder { ConverseReplyDecoder() }

    package func fault(_ head: ResponseHead, _ document: JSONValue?, text: Span<UInt8>) -> ProviderFault {
        ConverseFault.read(head, document, text: text)
    }
}
