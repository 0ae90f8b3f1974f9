package import SluiceCore
package import SluiceJSON

/// DashScope's native embeddings (alibaba sheet, section 3.4).
package struct DashScopeEmbeddings: EmbeddingDialect {
    package init() {}

    /// Texts that one request may have; unverified, for v3 and v4.
    private static let textsMax = 10

    package func target(model: String) -> String { "/services/embeddings/text-embedding/text-embedding" }

    package func encode(
        _ root: JSONValue, model: String, into body: ByteBuffer, _ report: inout FieldReport
    ) throws(EncodingRefusal) {
        let input = try EmbeddingInput(root, textsMax: Self.textsMax)
        var json = JSONWriter(into: body)
        json.beginObject()
        json.key("model")
        json.string(model)
        json.key("input")
        json.beginObject()
        json.key("texts")
        input.writeArray(&json)
        json.endObject()
        json.key("parameters")
        json.beginObject()
        json.key("text_type")
        if let type = root["text_type"], type.isString { json.value(type) } else { json.string("document") }
        if let dimensions = root["dimensions"], dimensions.kind == .number {
            json.key("dimension")
            json.value(dimensions)
        }
        json.endObject()
        json.endObject()
        EmbeddingInput.reportOthers(root, but: ["text_type", "dimensions"], &report)
    }

    package func fault(in document: JSONValue) -> ProviderFault? { DashScopeFault.read(document, status: nil) }

    package func decode(
        _ document: JSONValue, model: String, asBase64: Bool, estimate: Usage, into body: ByteBuffer
    ) -> Usage? {
        guard let embeddings = document["output"]?["embeddings"], embeddings.isArray else { return nil }
        let total = document["usage"]?["total_tokens"]?.int.map { max(0, $0) }
        let usage = total.map { Usage(inputTokens: $0, totalTokens: $0) } ?? estimate
        var reply = EmbeddingReplyWriter(model: model, asBase64: asBase64, into: body)
        // In the order of the texts, whatever the order of the reply.
        for index in 0..<embeddings.count {
            guard let vector = Self.vector(index, of: embeddings), reply.write(vector) else { return nil }
        }
        reply.end(usage)
        return usage
    }

    @_lifetime(copy embeddings)
    private static func vector(_ index: Int, of embeddings: JSONValue) -> JSONValue? {
        // Almost always at its place.
        if let element = embeddings[index], (element["text_index"]?.int ?? index) == index {
            return element["embedding"]
        }
        var elements = embeddings.elements
        while let element = elements.next() { if element["text_index"]?.int == index { return element["embedding"] } }
        return nil
    }
}
