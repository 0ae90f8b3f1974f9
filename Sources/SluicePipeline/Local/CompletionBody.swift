internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluiceProviders

/// Writes an answer of ours as a text completion, the oldest of OpenAI's dialects (`/v1/completions`).
enum CompletionBody {
    static func write(_ reply: ReplyAssembly, _ context: RequestContext, into buffer: ByteBuffer) {
        var json = JSONWriter(into: buffer)
        write(reply, context, usage: reply.usage, &json)
    }

    /// The whole answer in one event, and the end.
    static func events(_ reply: ReplyAssembly, _ context: RequestContext) -> ByteBuffer {
        let events = ByteBuffer(capacity: reply.byteCount + 512)
        events.append("data: " as StaticString)
        var json = JSONWriter(into: events)
        write(reply, context, usage: context.showsUsage ? reply.usage : nil, &json)
        events.append("\n\ndata: [DONE]\n\n" as StaticString)
        return events
    }

    private static func write(
        _ reply: ReplyAssembly, _ context: RequestContext, usage: Usage?, _ json: inout JSONWriter
    ) {
        json.object { json in
            json.key("id")
            json.string("cmpl-\(context.requestID)")
            json.key("object")
            json.string("text_completion")
            json.key("created")
            json.int(Int(EventLoop.readWallClock() / 1_000_000_000))
            json.key("model")
            json.string(reply.model ?? context.model)
            json.key("choices")
            json.array { json in
                json.object { json in
                    json.key("text")
                    if let text = reply.text { json.string(escaped: text.span) } else { json.string("") }
                    json.key("index")
                    json.int(0)
                    json.key("logprobs")
                    json.null()
                    json.key("finish_reason")
                    json.string(FinishReason.told(reply.finishReason, hasCalls: false).rawValue)
                }
            }
            if let usage {
                json.key("usage")
                usage.write(&json)
            }
        }
    }
}
