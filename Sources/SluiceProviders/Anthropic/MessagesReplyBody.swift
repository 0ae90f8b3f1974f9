package import SluiceCore
internal import SluiceJSON

/// Writes a whole message (section 6 of the Anthropic sheet).
package enum MessagesReplyBody {
    package static func write(_ reply: ReplyAssembly, _ identity: inout ReplyIdentity, into buffer: ByteBuffer) {
        var json = JSONWriter(into: buffer)
        json.beginObject()
        json.key("id")
        json.string(reply.id ?? "msg_\(identity.requestID)")
        json.key("type")
        json.string("message")
        json.key("role")
        json.string("assistant")
        json.key("model")
        json.string(reply.model ?? identity.model)
        json.key("content")
        json.beginArray()
        writeThinking(reply, &json)
        if let text = reply.text { writeText(text, &json) }
        if let refusal = reply.refusal { writeText(refusal, &json) }
        let tape = JSONTape()
        for call in reply.calls { write(call, &identity, tape, &json) }
        json.endArray()
        json.key("stop_reason")
        json.string(StopReason.of(reply.finishReason, hasCalls: !reply.calls.isEmpty, isRefused: reply.refusal != nil))
        json.key("stop_sequence")
        json.null()
        json.key("usage")
        (reply.usage ?? Usage()).writeAnthropic(&json)
        json.endObject()
    }

    private static func writeText(_ text: ByteBuffer, _ json: inout JSONWriter) {
        if text.isEmpty { return }
        json.beginObject()
        json.key("type")
        json.string("text")
        json.key("text")
        json.string(escaped: text.span)
        json.endObject()
    }

    private static func writeThinking(_ reply: ReplyAssembly, _ json: inout JSONWriter) {
        if let reasoning = reply.reasoning, !reply.blocks.contains(where: { $0.text != nil }) {
            json.beginObject()
            json.key("type")
            json.string("thinking")
            json.key("thinking")
            json.string(escaped: reasoning.span)
            json.key("signature")
            json.string("")
            json.endObject()
        }
        for block in reply.blocks {
            let seal = ByteBuffer(capacity: block.seal.utf8.count + 32)
            ThinkingSeal.append(format: block.format, to: seal)
            seal.append(block.seal)
            json.beginObject()
            json.key("type")
            if let text = block.text {
                json.string("thinking")
                json.key("thinking")
                json.string(text)
                json.key("signature")
            } else {
                json.string("redacted_thinking")
                json.key("data")
            }
            json.string(seal.span)
            json.endObject()
        }
    }

    private static func write(
        _ call: ReplyAssembly.Call, _ identity: inout ReplyIdentity, _ tape: JSONTape, _ json: inout JSONWriter
    ) {
        json.beginObject()
        json.key("type")
        json.string("tool_use")
        json.key("id")
        json.string(call.id ?? identity.callID("toolu_"))
        json.key("name")
        json.string(call.name)
        json.key("input")
        let text = ByteBuffer(capacity: call.arguments.count)
        ReplyText.escaped(call.arguments.span).append(plainTo: text)
        writeInput(text, tape, &json)
        if let signature = call.signature {
            json.key("extra_content")
            json.object { json in
                json.key("google")
                json.object { json in
                    json.key("thought_signature")
                    json.string(signature)
                }
            }
        }
        json.endObject()
    }

    /// An object, whatever the model wrote: arguments that were cut are shown as they are under a name of ours.
    private static func writeInput(_ text: ByteBuffer, _ tape: JSONTape, _ json: inout JSONWriter) {
        if text.isEmpty { return json.object { _ in } }
        if (try? tape.scan(text.span)) != nil {
            let root = tape.root(over: text.span)
            if root.isObject { return json.raw(root.rawBytes) }
        }
        json.beginObject()
        json.key("_raw")
        json.string(text.span)
        json.endObject()
    }
}
