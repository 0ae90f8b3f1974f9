package import SluiceCore
package import SluiceJSON

/// `batchEmbedContents` of the Gemini API (section 9 of the sheet, "Embeddings").
package struct GeminiEmbeddings: EmbeddingDialect {
    package init() {}

    package func target(model: String) -> String { GeminiDialect().modelPath(model) + ":batchEmbedContents" }

    package func encode(
        _ root: JSONValue, model: String, into body: ByteBuffer, _ report: inout FieldReport
    ) throws(EncodingRefusal) {
        var json = JSONWriter(into: body)
        json.beginObject()
        json.key("requests")
        json.beginArray()
        guard let input = root["input"] else { throw EncodingRefusal("input", "The request has no input.") }
        if input.isString {
            try writeRequest(input, root, model, &json)
        } else {
            var elements = input.elements
            var count = 0
            while let text = elements.next() {
                guard text.isString else {
                    throw EncodingRefusal("input", "The provider takes texts, not tokens: send strings as input.")
                }
                try writeRequest(text, root, model, &json)
                count += 1
            }
            if count == 0 {
                throw EncodingRefusal("input", "The input must be a string, or an array of strings that is not empty.")
            }
        }
        json.endArray()
        json.endObject()
        try reportLosses(root, &report)
    }

    private func writeRequest(_ text: JSONValue, _ root: JSONValue, _ model: String, _ json: inout JSONWriter)
        throws(EncodingRefusal)
    {
        json.beginObject()
        json.key("model")
        json.string(model.contains("/") ? model : "models/\(model)")
        json.key("content")
        json.object { json in
            json.key("parts")
            json.array { json in
                json.object { json in
                    json.key("text")
                    json.value(text)
                }
            }
        }
        if let dimensions = root["dimensions"], !dimensions.isNull {
            guard let count = dimensions.int, count > 0 else {
                throw EncodingRefusal("dimensions", "dimensions must be a whole number above 0.")
            }
            json.key("outputDimensionality")
            json.int(count)
        }
        for (name, snake) in Self.extensions {
            if let value = root[name], value.isString {
                json.key(name)
                json.value(value)
            } else if let value = root[snake], value.isString {
                json.key(name)
                json.value(value)
            }
        }
        json.endObject()
    }

    private static let extensions: [(name: StaticString, snake: StaticString)] = [
        ("taskType", "task_type"), ("title", "title"),
    ]
    private static let spoken: [StaticString] = [
        "model", "input", "dimensions", "encoding_format", "taskType", "task_type", "title",
    ]

    private func reportLosses(_ root: JSONValue, _ report: inout FieldReport) throws(EncodingRefusal) {
        if let format = root["encoding_format"], !format.isNull, !format.equals("float"), !format.equals("base64") {
            throw EncodingRefusal("encoding_format", "encoding_format must be float or base64.")
        }
        var members = root.members
        next: while let member = members.next() {
            if member.value.isNull { continue }
            for name in Self.spoken where member.isNamed(name) { continue next }
            if let name = member.key.string { report.lose(name) }
        }
    }

    package func decode(
        _ document: JSONValue, model: String, asBase64: Bool, estimate: Usage, into body: ByteBuffer
    ) -> Usage? {
        guard let embeddings = document["embeddings"], embeddings.isArray else { return nil }
        let usage = Usage(gemini: document["usageMetadata"]) ?? estimate
        var reply = EmbeddingReplyWriter(model: model, asBase64: asBase64, into: body)
        var elements = embeddings.elements
        while let embedding = elements.next() {
            guard let values = embedding["values"], reply.write(values) else { return nil }
        }
        reply.end(usage)
        return usage
    }
}
