internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluiceProviders

/// Writes an answer of ours as a text completion, the oldest of OpenAI's dialects (`/v1/completions`).
enum CompletionBody {
    static func events(_ reply: ReplyAssembly, _ context: RequestContext, tape: JSONTape) -> ByteBuffer {
        let document = ByteBuffer(capacity: reply.byteCount + 512)
        write(reply, context, into: document)
        let events = ByteBuffer(capacity: document.count + 512)
        guard (try? tape.scan(document.span)) != nil else { return events }
        CompletionText.write(tape.root(over: document.span), showsUsage: context.showsUsage, into: events)
        return events
    }

    static func write(_ reply: ReplyAssembly, _ context: RequestContext, into buffer: ByteBuffer) {
        var json = JSONWriter(into: buffer)
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
            if let usage = reply.usage {
                json.key("usage")
                usage.write(&json)
            }
        }
    }
}
