package import SluiceCore
package import SluiceHTTP
package import SluiceJSON

/// Google's generateContent (the Gemini sheet), as the Gemini API and as Vertex AI serve it.
package struct GeminiDialect: ChatDialect {
    package enum Flavour: Sendable {
        /// Below a base URL that ends in the API's version: `https://generativelanguage.googleapis.com/v1beta`.
        case gemini
        /// Below a base URL that names project and location: `https://aiplatform.googleapis.com/v1/projects/P/locations/L`.
        case vertex
    }

    package let flavour: Flavour

    package init(_ flavour: Flavour = .gemini) { self.flavour = flavour }

    /// Without `alt=sse` a stream would be one JSON array, in pieces.
    package func chatTarget(_ request: borrowing ChatRequest) -> String {
        modelPath(request.model) + (request.isStream ? ":streamGenerateContent?alt=sse" : ":generateContent")
    }

    /// The path of a model, however much of its full name was given.
    func modelPath(_ model: String) -> String {
        let name = String(model.split(separator: "/").last ?? "")
        switch flavour {
        case .gemini:
            let collection = model.hasPrefix("tunedModels/") ? "/tunedModels/" : "/models/"
            return collection + PathSegment.encoded(name)
        case .vertex: return "/publishers/google/models/" + PathSegment.encoded(name)
        }
    }

    package func encode(
        _ request: borrowing ChatRequest, _ capabilities: Capabilities, into body: ByteBuffer,
        _ report: inout FieldReport
    ) throws(EncodingRefusal) {
        var encoder = GeminiEncoder(capabilities, flavour, report, into: body)
        try encoder.write(request)
        report = encoder.report
    }

    package func makeDecoder() -> any ReplyDecoder { GeminiReplyDecoder() }

    package func fault(_ head: ResponseHead, _ document: JSONValue?, text: Span<UInt8>) -> ProviderFault {
        GeminiFault.read(head, document, text: text)
    }

    /// What Vertex does is not in the sheet.
    package var embeddings: (any EmbeddingDialect)? {
        flavour == .gemini ? GeminiEmbeddings() : nil
    }
}
