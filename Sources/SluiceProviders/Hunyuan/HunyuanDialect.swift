package import SluiceCore
package import SluiceHTTP
package import SluiceJSON

/// Tencent's native interface (tencent sheet, section 3): one path, what is wanted is told by fields.
package struct HunyuanDialect: ChatDialect {
    package init() {}

    package func chatTarget(_ request: borrowing ChatRequest) -> String { "/" }

    package func addFields(_ request: borrowing ChatRequest, to fields: inout HeaderFields) {
        Self.add("ChatCompletions", to: &fields)
    }

    static func add(_ action: String, to fields: inout HeaderFields) {
        fields.append(lowercaseName: "x-tc-action", action)
        fields.append(lowercaseName: "x-tc-version", "2023-09-01")
    }

    package func encode(
        _ request: borrowing ChatRequest, _ capabilities: Capabilities, into body: ByteBuffer,
        _ report: inout FieldReport
    ) throws(EncodingRefusal) {
        var encoder = HunyuanEncoder(capabilities, report, into: body)
        try encoder.write(request)
        report = encoder.report
    }

    package func makeDecoder() -> any ReplyDecoder { HunyuanReplyDecoder() }

    package func fault(_ head: ResponseHead, _ document: JSONValue?, text: Span<UInt8>) -> ProviderFault {
        if let document, let fault = HunyuanFault.inBand(document) { return fault }
        return OpenAIFault.read(head, document, text: text)
    }

    package var embeddings: (any EmbeddingDialect)? { HunyuanEmbeddings() }
    package var hasModelList: Bool { false }
}

/// `GetEmbedding` (tencent sheet, section 3.6). Vectors have 1024 numbers.
package struct HunyuanEmbeddings: EmbeddingDialect {
    package init() {}

    /// Texts that one request may have.
    private static let textsMax = 50
    private static let dimensions = 1024

    package func target(model: String) -> String { "/" }

    package func addFields(to fields: inout HeaderFields) { HunyuanDialect.add("GetEmbedding", to: &fields) }

    package func encode(
        _ root: JSONValue, model: String, into body: ByteBuffer, _ report: inout FieldReport
    ) throws(EncodingRefusal) {
        let input = try EmbeddingInput(root, textsMax: Self.textsMax)
        if let dimensions = root["dimensions"], !dimensions.isNull, dimensions.int != Self.dimensions {
            throw EncodingRefusal("dimensions", "The provider's vectors have \(Self.dimensions) numbers.")
        }
        var json = JSONWriter(into: body)
        json.beginObject()
        json.key("InputList")
        input.writeArray(&json)
        json.endObject()
        EmbeddingInput.reportOthers(root, but: ["dimensions"], &report)
    }

    package func fault(in document: JSONValue) -> ProviderFault? { HunyuanFault.inBand(document) }

    package func decode(
        _ document: JSONValue, model: String, asBase64: Bool, estimate: Usage, into body: ByteBuffer
    ) -> Usage? {
        guard let response = document["Response"], let data = response["Data"], data.isArray else { return nil }
        let usage =
            response["Usage"]?["PromptTokens"]?.int.map { input in
                Usage(inputTokens: max(0, input), totalTokens: response["Usage"]?["TotalTokens"]?.int)
            } ?? estimate
        var reply = EmbeddingReplyWriter(model: model, asBase64: asBase64, into: body)
        var elements = data.elements
        while let element = elements.next() {
            guard let vector = element["Embedding"], reply.write(vector) else { return nil }
        }
        reply.end(usage)
        return usage
    }
}
