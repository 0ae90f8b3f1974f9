package import SluiceCore
package import SluiceHTTP
package import SluiceJSON

/// iFlytek Spark over a WebSocket (iflytek sheet, section 3): one frame asks, several answer. The base URL is the host alone.
package struct SparkDialect: ChatDialect {
    package init() {}

    package var framing: StreamFraming { .webSocketMessages }

    package func chatTarget(_ request: borrowing ChatRequest) -> String { Self.model(request)?.path ?? "/v1.1/chat" }

    static func model(_ request: borrowing ChatRequest) -> SparkModel? {
        request["patch_id"] != nil ? .fineTuned(request.model) : .named(request.model)
    }

    package func encode(
        _ request: borrowing ChatRequest, _ capabilities: Capabilities, into body: ByteBuffer,
        _ report: inout FieldReport
    ) throws(EncodingRefusal) {
        guard let model = Self.model(request) else {
            throw EncodingRefusal("model", "No Spark model is called \"\(request.model)\".")
        }
        var encoder = SparkEncoder(model, capabilities, report, into: body)
        try encoder.write(request)
        report = encoder.report
    }

    package func makeDecoder() -> any ReplyDecoder { SparkReplyDecoder() }

    /// What is answered in place of the WebSocket.
    package func fault(_ head: ResponseHead, _ document: JSONValue?, text: Span<UInt8>) -> ProviderFault {
        if let document, let fault = SparkFault.inBand(document) { return fault }
        var fault = OpenAIFault.read(head, document, text: text)
        switch head.status.code {
        case 401: fault = FaultClass.unauthorized.fault(fault.message)
        // Unverified: a clock that is more than 300 s wrong.
        case 403: fault = FaultClass.unauthorized.fault(fault.message + " (Is this machine's clock right?)")
        default: break
        }
        return fault
    }

    package var embeddings: (any EmbeddingDialect)? { SparkEmbeddings() }
    package var hasModelList: Bool { false }
}
