package import SluiceCore
internal import SluiceJSON

/// Writes a whole chat completion (section 5 of the OpenAI sheet).
package enum ChatReplyBody {
    package static func write(_ reply: ReplyAssembly, _ identity: inout ReplyIdentity, into buffer: ByteBuffer) {
        var json = JSONWriter(into: buffer)
        json.beginObject()
        json.key("id")
        json.string(reply.id ?? "chatcmpl-\(identity.requestID)")
        json.key("object")
        json.string("chat.completion")
        json.key("created")
        json.int(reply.created ?? identity.created)
        json.key("model")
        json.string(reply.model ?? identity.model)
        if let fingerprint = reply.fingerprint {
            json.key("system_fingerprint")
            json.string(fingerprint)
        }
        json.key("choices")
        json.beginArray()
        json.beginObject()
        json.key("index")
        json.int(0)
        json.key("message")
        writeMessage(reply, &identity, &json)
        json.key("logprobs")
        json.null()
        json.key("finish_reason")
        json.string(FinishReason.told(reply.finishReason, hasCalls: !reply.calls.isEmpty).rawValue)
        json.endObject()
        json.endArray()
        if let usage = reply.usage {
            json.key("usage")
            usage.write(&json)
        }
        json.endObject()
    }

    private static func writeMessage(_ reply: ReplyAssembly, _ identity: inout ReplyIdentity, _ json: inout JSONWriter)
    {
        json.beginObject()
        json.key("role")
        json.string("assistant")
        json.key("content")
        if let text = reply.text {
            json.string(escaped: text.span)
        } else if reply.calls.isEmpty, reply.refusal == nil {
            json.string("")
        } else {
            json.null()
        }
        json.key("refusal")
        if let refusal = reply.refusal { json.string(escaped: refusal.span) } else { json.null() }
        if let reasoning = reply.reasoning {
            json.key("reasoning_content")
            json.string(escaped: reasoning.span)
        }
        if !reply.blocks.isEmpty {
            json.key("reasoning_details")
            json.beginArray()
            for (index, block) in reply.blocks.enumerated() { write(block, index, &json) }
            json.endArray()
        }
        if !reply.images.isEmpty { write(images: reply.images, &json) }
        if !reply.calls.isEmpty {
            json.key("tool_calls")
            json.beginArray()
            for call in reply.calls { write(call, &identity, &json) }
            json.endArray()
        }
        json.endObject()
    }

    /// As OpenRouter and others do it: OpenAI's chat has no place for pictures.
    private static func write(images: [ByteBuffer], _ json: inout JSONWriter) {
        json.key("images")
        json.beginArray()
        for image in images {
            json.beginObject()
            json.key("type")
            json.string("image_url")
            json.key("image_url")
            json.object { json in
                json.key("url")
                json.string(escaped: image.span)
            }
            json.endObject()
        }
        json.endArray()
    }

    private static func write(_ block: ReplyAssembly.Block, _ index: Int, _ json: inout JSONWriter) {
        let seal = block.seal.utf8Span
        if let text = block.text {
            let text = text.utf8Span
            ReasoningDetails.write(
                ReasoningBlock(format: block.format, text: ReplyText(text.span), seal: ReplyText(seal.span)),
                index: index, &json)
        } else {
            ReasoningDetails.write(
                ReasoningBlock(format: block.format, text: nil, seal: ReplyText(seal.span)), index: index, &json)
        }
    }

    private static func write(_ call: ReplyAssembly.Call, _ identity: inout ReplyIdentity, _ json: inout JSONWriter) {
        json.beginObject()
        json.key("id")
        json.string(call.id ?? identity.callID())
        json.key("type")
        json.string("function")
        json.key("function")
        json.beginObject()
        json.key("name")
        json.string(call.name)
        json.key("arguments")
        if call.arguments.isEmpty { json.string("{}") } else { json.string(escaped: call.arguments.span) }
        json.endObject()
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
}
