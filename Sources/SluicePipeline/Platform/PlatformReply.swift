internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluiceProviders
internal import SluiceStorage

/// The platform's envelope around replies and errors.
enum PlatformReply {
    /// `{"code":200,"message":"success","data":{"result","model_info":{"name","provider","version"},"usage"},"request_id","timestamp"}`;
    /// the time is in milliseconds since 1970.
    static func write(_ reply: ReplyAssembly, _ context: RequestContext, into buffer: ByteBuffer) {
        var json = JSONWriter(into: buffer)
        envelope(200, "success", context, &json) { json in
            json.object { json in
                json.key("result")
                if let text = reply.text ?? reply.refusal { json.string(escaped: text.span) } else { json.string("") }
                if let reasoning = reply.reasoning {
                    json.key("reasoning")
                    json.string(escaped: reasoning.span)
                }
                if !reply.calls.isEmpty {
                    json.key("tool_calls")
                    json.array { json in for call in reply.calls { write(call, &json) } }
                }
                json.key("finish_reason")
                json.string(FinishReason.told(reply.finishReason, hasCalls: !reply.calls.isEmpty).rawValue)
                writeModelInfo(reply.model, context, &json)
                json.key("usage")
                writeUsage(reply.usage, &json)
            }
        }
    }

    private static func write(_ call: ReplyAssembly.Call, _ json: inout JSONWriter) {
        json.object { json in
            json.key("id")
            if let id = call.id { json.string(id) } else { json.null() }
            json.key("name")
            json.string(call.name)
            json.key("arguments")
            if call.arguments.isEmpty { json.string("{}") } else { json.string(escaped: call.arguments.span) }
        }
    }

    static func write(_ rejection: Rejection, _ context: RequestContext, _ json: inout JSONWriter) {
        writeError(
            status: rejection.status, message: rejection.message, type: rejection.type, code: rejection.code,
            owner: rejection.owner, context, &json)
    }

    static func writeError(
        status: Status, message: String, type: String, code: String, owner: Rejection.Owner, _ context: RequestContext,
        _ json: inout JSONWriter
    ) {
        json.object { json in
            json.key("code")
            json.int(Int(status.code))
            json.key("message")
            json.string(message)
            json.key("data")
            json.null()
            json.key("error")
            json.object { json in
                json.key("type")
                json.string(type)
                json.key("code")
                json.string(code)
                json.key("owner")
                json.string(owner.rawValue)
            }
            writeTail(context, &json)
        }
    }

    /// An envelope of a status around whatever `data` writes.
    static func envelope(
        _ code: Int, _ message: StaticString, _ context: RequestContext, _ json: inout JSONWriter,
        data: (inout JSONWriter) -> Void
    ) {
        json.object { json in
            json.key("code")
            json.int(code)
            json.key("message")
            json.string(message)
            json.key("data")
            data(&json)
            writeTail(context, &json)
        }
    }

    private static func writeTail(_ context: RequestContext, _ json: inout JSONWriter) {
        json.key("request_id")
        json.string(context.envelopeRequestID ?? context.requestID)
        json.key("timestamp")
        json.int(Int(EventLoop.readWallClock() / 1_000_000))
    }

    static func writeModelInfo(_ version: String?, _ context: RequestContext, _ json: inout JSONWriter) {
        json.key("model_info")
        json.object { json in
            json.key("name")
            json.string(context.model)
            json.key("provider")
            let isOurs = context.degraded == .fixed
            json.string(
                isOurs
                    ? "sluice"
                    : context.attempt.provider?.name ?? context.cacheTurn?.served?.labels.provider ?? "sluice")
            json.key("version")
            json.string(version ?? (isOurs ? context.model : context.attempt.upstreamModel))
        }
    }

    static func writeUsage(_ usage: Usage?, _ json: inout JSONWriter) {
        if let usage { usage.write(&json) } else { json.null() }
    }
}
