package import SluiceCore
package import SluiceJSON

/// Embeddings of v1 (baidu sheet, section 3.7).
package struct ErnieEmbeddings: EmbeddingDialect {
    package init() {}

    /// Texts that one request may have.
    private static let textsMax = 16

    package func target(model: String) -> String { "/embeddings/" + ErnieModel.slug(model) }

    package func encode(
        _ root: JSONValue, model: String, into body: ByteBuffer, _ report: inout FieldReport
    ) throws(EncodingRefusal) {
        let input = try EmbeddingInput(root, textsMax: Self.textsMax)
        var json = JSONWriter(into: body)
        json.beginObject()
        json.key("input")
        input.writeArray(&json)
        if let user = root["user"], user.isString {
            json.key("user_id")
            json.value(user)
        }
        json.endObject()
        EmbeddingInput.reportOthers(root, but: ["user"], &report)
    }

    package func fault(in document: JSONValue) -> ProviderFault? { ErnieFault.inBand(document) }

    package func decode(
        _ document: JSONValue, model: String, asBase64: Bool, estimate: Usage, into body: ByteBuffer
    ) -> Usage? {
        guard let data = document["data"], data.isArray else { return nil }
        let usage = Usage(openAI: document["usage"]) ?? estimate
        var reply = EmbeddingReplyWriter(model: model, asBase64: asBase64, into: body)
        var elements = data.elements
        while let element = elements.next() {
            guard let vector = element["embedding"], reply.write(vector) else { return nil }
        }
        reply.end(usage)
        return usage
    }
}
