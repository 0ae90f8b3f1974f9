internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluiceProviders

/// The platform's envelope around replies and errors.
enum PlatformReply {
    /// `{"code":200,"message":"success","data":{"result","model_info","usage"},"request_id","timestamp"}`; the time is in milliseconds
    /// since 1970.
    static func write(_ answer: PlatformAnswer, _ context: RequestContext, _ json: inout JSONWriter) {
        envelope(200, "success", context, &json) { json in
            json.object { json in
                json.key("result")
                json.string(answer.text)
                if !answer.reasoning.isEmpty {
                    json.key("reasoning")
                    json.string(answer.reasoning)
                }
                if let finish = answer.finish {
                    json.key("finish_reason")
                    json.string(finish)
                }
                writeModelInfo(answer.version, context, &json)
                json.key("usage")
                writeUsage(answer.usage, &json)
            }
        }
    }

    /// One event of a streamed answer: a piece of the text in `data.delta`; the last one has the usage.
    static func writeDelta(_ delta: PlatformAnswer, _ context: RequestContext, _ json: inout JSONWriter) {
        envelope(200, "success", context, &json) { json in
            json.object { json in
                if !delta.reasoning.isEmpty {
                    json.key("reasoning_delta")
                    json.string(delta.reasoning)
                }
                json.key("delta")
                json.string(delta.text)
                if let finish = delta.finish {
                    json.key("finish_reason")
                    json.string(finish)
                }
                if let usage = delta.usage {
                    writeModelInfo(delta.version, context, &json)
                    json.key("usage")
                    writeUsage(usage, &json)
                }
            }
        }
    }

    static func write(_ rejection: Rejection, _ context: RequestContext, _ json: inout JSONWriter) {
        writeError(
            status: rejection.status, message: rejection.message, type: "\(rejection.type)", code: "\(rejection.code)",
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
        _ code: Int, _ message: StaticString, _ context: RequestContext, _ json: inout JSONWriter, data: (inout JSONWriter) -> Void
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

    private static func writeModelInfo(_ version: String?, _ context: RequestContext, _ json: inout JSONWriter) {
        json.key("model_info")
        json.object { json in
            json.key("name")
            json.string(context.model)
            json.key("provider")
            json.string(context.provider?.name ?? "sluice")
            json.key("version")
            json.string(version ?? context.upstreamModel)
        }
    }

    private static func writeUsage(_ usage: Usage?, _ json: inout JSONWriter) {
        guard let usage else { return json.null() }
        json.object { json in
            json.key("prompt_tokens")
            json.int(usage.inputTokens)
            json.key("completion_tokens")
            json.int(usage.outputTokens)
            json.key("total_tokens")
            json.int(usage.totalTokens)
        }
    }
}

/// What an answer says, as far as the envelope has room for it; also a piece of one.
struct PlatformAnswer {
    var text = ""
    var reasoning = ""
    var finish: String?
    var usage: Usage?
    var version: String?

    init(_ events: [ReplyEvent] = [], version: String? = nil) {
        self.version = version
        for event in events {
            switch event {
            case .text(let piece), .refusal(let piece): text += piece
            case .reasoning(let piece): reasoning += piece
            case .finish(let reason): finish = reason
            case .usage(let read): usage = read
            }
        }
    }

    var isEmpty: Bool { text.isEmpty && reasoning.isEmpty && finish == nil && usage == nil }
}
