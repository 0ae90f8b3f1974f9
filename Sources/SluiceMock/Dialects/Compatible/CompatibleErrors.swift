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
            return (["id": request, "choices": nil, "created": .int(turn.identity.created), "model": .string(turn.identity.model), "base_resp": base], 200)
        case .ark:
            let (code, type) = ark(failure)
            let error: MockJSON = ["code": .string(failure.code ?? code), "message": message, "param": "", "type": .string(type)]
            return (["error": error, "request_id": request], failure.kind == .quota ? 403 : status)
        case .qwen:
            let (code, type) = qwen(failure)
            let error: MockJSON = ["code": .string(code), "param": nil, "message": message, "type": .string(type)]
            return (["error": error, "request_id": request], status)
        case .hunyuan:
            let error: MockJSON = [
                "id": .string(String(turn.identity.hex.prefix(8))), "message": message, "type": .string(type(failure)), "param": nil,
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
            return (["object": "error", "message": message, "type": .string(vLLM(failure)), "param": nil, "code": .int(Int(status.code))], status)
        case .ollama:
            let type = status.code == 404 ? "not_found_error" : status.code >= 500 ? "api_error" : "invalid_request_error"
            return (wrapped(message, type, .null, .null), status)
        case .llamaCpp:
            let error: MockJSON = ["code": .int(Int(status.code)), "message": message, "type": .string(llamaCpp(failure))]
            return (["error": error], status)
        case .perplexity:
            return (["error": ["message": message, "type": .string(type(failure)), "code": .int(Int(status.code))]], status)
        case .azure: return azure(failure)
        }
    }

    private static func wrapped(_ message: MockJSON, _ type: String, _ param: MockJSON, _ code: MockJSON) -> MockJSON {
        ["error": ["message": message, "type": .string(type), "param": param == .absent ? .null : param, "code": code]]
    }

    private static func type(_ failure: DialectFailure) -> String {
        switch failure.kind {
        case .noKey, .wrongKey, .expiredKey: "authentication_error"
        case .rateLimit: "rate_limit_error"
        case .quota: "insufficient_quota"
        case .server, .overloaded, .timeout: "server_error"
        default: "invalid_request_error"
        }
    }

    private static func code(_ failure: DialectFailure) -> MockJSON {
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

    private static func baidu(_ failure: DialectFailure) -> (String, String, Status) {
        switch failure.kind {
        case .noKey: ("missing_authorization", "authentication_error", 401)
        case .wrongKey, .expiredKey: ("invalid_iam_token", "authentication_error", 401)
        case .noModel: ("invalid_model", "invalid_request_error", 401)
        case .contextLength: ("tokens_too_long", "invalid_request_error", 400)
        case .promptRefused: ("system_unsafe", "forbidden", 403)
        case .quota: ("account_overdue", "forbidden", 403)
        case .forbidden: ("no_parameter_permission", "forbidden", 403)
        case .rateLimit: ("rpm_rate_limit_exceeded", "rate_limit_exceeded", 429)
        case .overloaded: ("cluster_rate_limit_exceeded", "rate_limit_exceeded", 429)
        case .server, .timeout: ("internal_error", "Internal_error", 500)
        case .method: ("method_not_supported", "invalid_request_error", 405)
        default: ("invalid_argument", "invalid_request_error", 400)
        }
    }

    private static func spark(_ failure: DialectFailure) -> (MockJSON, Status) {
        switch failure.kind {
        case .noKey, .wrongKey, .expiredKey: return (["message": "HMAC secret key does not match"], 401)
        case .quota: return (["error": ["message": "AppIdNoAuthError:(tokens.total)", "code": "11200"]], 403)
        default:
            let code = SparkCodes.code(failure)
            return (["code": .int(code), "message": .string(failure.message), "sid": "cha000b0000@dx"], 200)
        }
    }

    private static func zhipu(_ failure: DialectFailure) -> String {
        switch failure.kind {
        case .noKey: "1001"
        case .wrongKey: "1002"
        case .expiredKey: "1003"
        case .forbidden: "1220"
        case .quota: "1113"
        case .rateLimit: "1302"
        case .noModel: "1211"
        case .contextLength: "1261"
        case .promptRefused: "1301"
        case .overloaded: "1305"
        case .server, .timeout: "500"
        default: "1210"
        }
    }

    private static func moonshot(_ failure: DialectFailure) -> (String, String) {
        switch failure.kind {
        case .noKey, .wrongKey, .expiredKey: return ("invalid_authentication_error", "Invalid Authentication")
        case .forbidden: return ("permission_denied_error", failure.message)
        case .noModel, .noPath: return ("resource_not_found_error", failure.message)
        case .quota: return ("exceeded_current_quota_error", "Your account is not active, current state: exceeded quota")
        case .rateLimit:
            let wait = failure.waitSeconds ?? 1
            return ("rate_limit_reached_error", "Your account request reached max organization concurrency: 1, please try again after \(wait) seconds")
        case .overloaded: return ("engine_overloaded_error", "The engine is currently overloaded, please try again later")
        case .promptRefused: return ("content_filter", "The request was rejected because it was considered high risk")
        case .contextLength: return ("invalid_request_error", "Invalid request: Your request exceeded model token limit: 8192")
        case .server, .timeout: return ("server_error", failure.message)
        default: return ("invalid_request_error", failure.message)
        }
    }

    private static func miniMax(_ failure: DialectFailure) -> Int {
        switch failure.kind {
        case .noKey, .wrongKey, .expiredKey, .forbidden: 1004
        case .quota: 1008
        case .rateLimit: 1002
        case .promptRefused: 1026
        case .timeout: 1001
        case .server: 1000
        case .overloaded: 1033
        default: 2013
        }
    }

    private static func ark(_ failure: DialectFailure) -> (String, String) {
        switch failure.kind {
        case .noKey, .wrongKey, .expiredKey: ("AuthenticationError", "Unauthorized")
        case .forbidden: ("AccessDenied", "Forbidden")
        case .quota: ("AccountOverdueError", "Forbidden")
        case .noModel: ("InvalidEndpointOrModel.NotFound", "NotFound")
        case .rateLimit: ("ModelAccountRpmRateLimitExceeded", "TooManyRequests")
        case .overloaded: ("ServerOverloaded", "TooManyRequests")
        case .promptRefused: ("InputTextSensitiveContentDetected", "BadRequest")
        case .server, .timeout: ("InternalServiceError", "InternalServerError")
        default: ("InvalidParameter", "BadRequest")
        }
    }

    private static func qwen(_ failure: DialectFailure) -> (String, String) {
        switch failure.kind {
        case .noKey, .wrongKey, .expiredKey: ("invalid_api_key", "invalid_request_error")
        case .forbidden: ("access_denied", "access_denied")
        case .quota: ("insufficient_quota", "insufficient_quota")
        case .rateLimit: ("limit_requests", "limit_requests")
        case .noModel: ("model_not_found", "invalid_request_error")
        case .promptRefused: ("data_inspection_failed", "data_inspection_failed")
        case .server, .timeout: ("internal_error", "internal_error")
        case .overloaded: ("ModelServingError", "ModelServingError")
        default: ("invalid_parameter_error", "invalid_request_error")
        }
    }

    private static func mistral(_ failure: DialectFailure) -> (MockJSON, Status) {
        if failure.code == "extra_forbidden" {
            let one: MockJSON = [
                "type": "extra_forbidden", "loc": ["body", .string(failure.param ?? "")], "msg": "Extra inputs are not permitted",
            ]
            return (["detail": [one]], 422)
        }
        switch failure.kind {
        case .noKey, .wrongKey, .expiredKey: return (["detail": "Unauthorized"], 401)
        default:
            return (["object": "error", "message": .string(failure.message), "type": "invalid_request_error", "param": nil, "code": "3000"], failure.usualStatus)
        }
    }

    private static func xAI(_ failure: DialectFailure) -> String {
        switch failure.kind {
        case .noKey: "unauthenticated:no-credentials"
        case .rateLimit: "Some resource has been exhausted"
        case .quota, .forbidden: "The caller does not have permission to execute the specified operation"
        case .noModel: "Some requested entity was not found"
        case .server, .timeout: "Internal error"
        case .overloaded: "The service is currently unavailable"
        default: "Client specified an invalid argument"
        }
    }

    private static func vLLM(_ failure: DialectFailure) -> String {
        switch failure.usualStatus.code {
        case 401: "Unauthorized"
        case 404: "NotFoundError"
        case 500...: "InternalServerError"
        default: "BadRequestError"
        }
    }

    private static func llamaCpp(_ failure: DialectFailure) -> String {
        switch failure.kind {
        case .noKey, .wrongKey, .expiredKey: "authentication_error"
        case .noModel, .noPath: "not_found_error"
        case .overloaded: "unavailable_error"
        case .server, .timeout: "server_error"
        case .contextLength: "exceed_context_size_error"
        default: "invalid_request_error"
        }
    }

    private static func azure(_ failure: DialectFailure) -> (MockJSON, Status) {
        func gateway(_ code: String, _ message: String) -> MockJSON { ["error": ["code": .string(code), "message": .string(message)]] }
        switch failure.kind {
        case .noKey, .wrongKey, .expiredKey:
            return (gateway("401", "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource."), 401)
        case .noModel:
            return (gateway("DeploymentNotFound", "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again."), 404)
        case .noPath: return (gateway("404", "Resource not found"), 404)
        case .rateLimit:
            let wait = failure.waitSeconds ?? 7
            return (gateway("429", "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after \(wait) seconds."), 429)
        case .promptRefused:
            let filters = CompatibleReply.filters.with("jailbreak", ["filtered": true, "detected": true])
            let error: MockJSON = [
                "message": "The response was filtered due to the prompt triggering the content management policy. Please modify your prompt and retry.",
                "type": nil, "param": "prompt", "code": "content_filter", "status": 400,
                "innererror": ["code": "ResponsibleAIPolicyViolation", "content_filter_result": filters],
            ]
            return (["error": error], 400)
        case .server, .overloaded, .timeout:
            return (gateway("\(failure.usualStatus.code)", failure.message), failure.usualStatus)
        default:
            return (wrapped(.string(failure.message), type(failure), .optional(failure.param), code(failure)), failure.usualStatus)
        }
    }
}
