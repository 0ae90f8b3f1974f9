package import SluiceCore
internal import SluiceHTTP
package import SluiceJSON

/// iFlytek's embeddings (iflytek sheet, section 3.7), on a host of their own: one text a request, and no word of what it cost.
package struct SparkEmbeddings: EmbeddingDialect {
    package init() {}

    package func target(model: String) -> String { "/" }

    package func encode(
        _ root: JSONValue, model: String, into body: ByteBuffer, _ report: inout FieldReport
    ) throws(EncodingRefusal) {
        try encode(root, model: model, applicationID: nil, into: body, &report)
    }

    package func encode(
        _ root: JSONValue, model: String, applicationID: String?, into body: ByteBuffer, _ report: inout FieldReport
    ) throws(EncodingRefusal) {
        let input = try EmbeddingInput(root, textsMax: 1)
        guard let text = input.single else { throw EncodingRefusal("input", "The provider takes one text a request.") }
        let messages = ByteBuffer(capacity: text.rawBytes.count + 64)
        var inner = JSONWriter(into: messages)
        inner.object { json in
            json.key("messages")
            json.array { json in
                json.object { json in
                    json.key("content")
                    json.value(text)
                    json.key("role")
                    json.string("user")
                }
            }
        }
        var json = JSONWriter(into: body)
        json.object { json in
            json.key("header")
            json.object { json in
                json.key("app_id")
                json.string(applicationID ?? "")
                json.key("status")
                json.int(3)
            }
            json.key("parameter")
            json.object { json in
                json.key("emb")
                json.object { json in
                    json.key("domain")
                    // What is looked for, or what it is looked for in.
                    json.string(root["domain"]?.equals("query") == true ? "query" : "para")
                    json.key("feature")
                    json.object { json in
                        json.key("encoding")
                        json.string("utf8")
                    }
                }
            }
            json.key("payload")
            json.object { json in
                json.key("messages")
                json.object { json in
                    json.key("text")
                    json.string(Base64.encode(messages.span))
                }
            }
        }
        EmbeddingInput.reportOthers(root, but: ["domain"], &report)
    }

    package func fault(in document: JSONValue) -> ProviderFault? { SparkFault.inBand(document) }

    package func decode(
        _ document: JSONValue, model: String, asBase64: Bool, estimate: Usage, into body: ByteBuffer
    ) -> Usage? {
        guard let text = document["payload"]?["feature"]?["text"]?.string,
            let bytes = Base64.decode(text.utf8Span.span),
            !bytes.isEmpty, bytes.count % 4 == 0
        else { return nil }
        let numbers = ByteBuffer(capacity: bytes.count * 3)
        var json = JSONWriter(into: numbers)
        json.beginArray()
        for start in stride(from: 0, to: bytes.count, by: 4) {
            var bits: UInt32 = 0
            for offset in 0..<4 { bits |= UInt32(bytes[start + offset]) << UInt32(8 * offset) }
            json.double(Double(Float(bitPattern: bits)))
        }
        json.endArray()
        let tape = JSONTape()
        guard (try? tape.scan(numbers.span)) != nil else { return nil }
        var reply = EmbeddingReplyWriter(model: model, asBase64: asBase64, into: body)
        guard reply.write(tape.root(over: numbers.span)) else { return nil }
        // It never says.
        reply.end(estimate)
        return estimate
    }
}
