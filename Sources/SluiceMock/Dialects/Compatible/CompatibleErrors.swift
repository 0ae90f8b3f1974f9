internal import SluiceCore
internal import SluiceHTTP

/// A failure in one provider's spelling.
enum CompatibleErrors {
    static func reply(_ failure: DialectFailure, _ form: CompatibleTraits.ErrorForm, _ turn: DialectTurn) -> Reply {
        let (body, status) = spelling(failure, form, turn)
        var fields: [(name: StaticString, value: String)] = [("x-request-id", turn.identity.hex)]
        if form == .azure {
            fields = [("apim-request-id", turn.identity.hex)]
            if failure.kind == .rateLimit, turn.behaviour.retry.seconds == nil {
                fields += [("retry-after", "7"), ("retry-after-ms", "6521")]
            }
        }
        return Reply(body, status: status, fields: fields)
    }

    /// How an error is told after a stream has begun.
    static func inStream(_ reply: CompatibleReply) -> StreamForm {
        let failure = DialectFailure(.overloaded, "Overloaded")
        let body = spelling(failure, reply.traits.errors, reply.turn).body
        switch reply.traits.errors {
        case .openRouter:
            let choice: MockJSON = ["index": 0, "delta": ["content": ""], "finish_reason": "error"]
            let error: MockJSON = ["code": 502, "message": "Provider disconnected"]
            return StreamForm(data: reply.head("chat.completion.chunk").with("error", error).with("choices", [choice]))
        case .zhipu, .deepSeek:
            // They tell of it as a finish reason.
            let reason = reply.traits.errors == .zhipu ? "network_error" : "insufficient_system_resource"
            let choice: MockJSON = ["index": 0, "delta": ["content": ""], "finish_reason": .string(reason)]
            return StreamForm(data: reply.head("chat.completion.chunk").with("choices", [choice]))
        case .vLLM, .sgLang:
            let error: MockJSON = [
                "object": reply.traits.errors == .sgLang ? "error" : .absent, "message": "EngineCore died",
                "type": "InternalServerError", "param": nil, "code": 500,
            ]
            let done = reply.traits.errors == .vLLM ? "data: [DONE]\n\n" : ""
            let text = MockJSON.object([MockJSON.Member(name: "error", value: error)]).jsonText
            return StreamForm(error: Array("data: \(text)\n\n\(done)".utf8))
        case .spark:
            let error: MockJSON = ["code": 10012, "message": "EngineInternalError", "sid": .string(reply.id)]
            return StreamForm(error: Array("data:\(error.jsonText)\n\n".utf8))
        default: return StreamForm(data: body)
        }
    }

    static func spelling(
        _ failure: DialectFailure, _ form: CompatibleTraits.ErrorForm, _ turn: DialectTurn
    ) -> (body: MockJSON, status: Status) {
        let message = MockJSON.string(failure.message)
        let status = failure.usualStatus
        let request = MockJSON.string("r-\(turn.identity.hex.prefix(12))")
        switch form {
        case .openAI, .fireworks:
            return (wrapped(message, type(failure), .optional(failure.param), code(failure)), status)
        case .baidu:
            let (code, type, status) = baidu(failure)
            let error: MockJSON = ["code": .string(failure.code ?? code), "message": message, "type": .string(type)]
            return (["error": error, "id": .string("as-\(turn.identity.hex.prefix(10))")], status)
        case .spark: return spark(failure)
        case .zhipu: return (["error": ["code": .string(zhipu(failure)), "message": message]], status)
        case .moonshot:
            let (type, text) = moonshot(failure)
            return (["error": ["type": .string(type), "message": .string(text)]], status)
        case .deepSeek:
            if failure.kind == .quota {
                return (wrapped("Insufficient Balance", "unknown_error", nil, "invalid_request_error"), 402)
            }
            return (wrapped(message, type(failure), .null, code(failure)), status)
        case .miniMax:
            let base: MockJSON = ["status_code": .int(miniMax(failure)), "status_msg": message]
            return (
                [
                    "id": request, "choices": nil, "created": .int(turn.identity.created),
                    "model": .string(turn.identity.model), "base_resp": base,
                ], 200
            )
        case .ark:
            let (code, type) = ark(failure)
            let error: MockJSON = [
                "code": .string(failure.code ?? code), "message": message, "param": "", "type": .string(type),
            ]
            return (["error": error, "request_id": request], failure.kind == .quota ? 403 : status)
        case .qwen:
            let (code, type) = qwen(failure)
            let error: MockJSON = ["code": .string(code), "param": nil, "message": message, "type": .string(type)]
            return (["error": error, "request_id": request], status)
        case .hunyuan:
            let error: MockJSON = [
                "id": .string(String(turn.identity.hex.prefix(8))), "message": message, "type": .string(type(failure)),
                "param": nil,
                "code": .string(failure.code ?? "\(status.code)"),
            ]
            return (["error": error], status)
        case .mistral: return mistral(failure)
        case .xAI: return (["code": .string(xAI(failure)), "error": message], failure.kind == .wrongKey ? 400 : status)
        case .openRouter:
            let code = failure.kind == .quota ? 402 : Int(status.code)
            return (["error": ["code": .int(code), "message": message]], Status(UInt16(code)))
        case .vLLM:
            return (wrapped(message, vLLM(failure), .optional(failure.param), .int(Int(status.code))), status)
        case .sgLang:
            return (
                [
                    "object": "error", "message": message, "type": .string(vLLM(failure)), "param": nil,
                    "code": .int(Int(status.code)),
                ], status
            )
        case .ollama:
            let type =
                status.code == 404 ? "not_found_error" : status.code >= 500 ? "api_error" : "invalid_request_error"
            return (wrapped(message, type, .null, .null), status)
        case .llamaCpp:
            let error: MockJSON = [
                "code": .int(Int(status.code)), "message": message, "type": .string(llamaCpp(failure)),
            ]
            return (["error": error], status)
        case .perplexity:
            return (
                ["error": ["message": message, "type": .string(type(failure)), "code": .int(Int(status.code))]], status
            )
        case .azure: return azure(failure)
        }
    }

    static func wrapped(_ message: MockJSON, _ type: String, _ param: MockJSON, _ code: MockJSON) -> MockJSON {
        ["error": ["message": message, "type": .string(type), "param": param == .absent ? .null : param, "code": code]]
    }

    static func type(_ failure: DialectFailure) -> String {
        switch failure.kind {
        case .noKey, .wrongKey, .expiredKey: "authentication_error"
        case .rateLimit: "rate_limit_error"
        case .quota: "insufficient_quota"
        case .server, .overloaded, .timeout: "server_error"
        default: "invalid_request_error"
        }
    }

    static func code(_ failure: DialectFailure) -> MockJSON {
        switch failure.kind {
        case .noKey, .wrongKey, .expiredKey: "invalid_api_key"
        case .rateLimit: "rate_limit_exceeded"
        case .quota: "insufficient_quota"
        case .contextLength: "context_length_exceeded"
        case .noModel: "model_not_found"
        case .promptRefused: "content_filter"
        default: .null
        }
    }
}
