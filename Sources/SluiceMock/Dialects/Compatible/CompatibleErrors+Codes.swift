internal import SluiceCore
internal import SluiceHTTP

/// Types and codes of single providers.
extension CompatibleErrors {
    static func baidu(_ failure: DialectFailure) -> (String, String, Status) {
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

    static func spark(_ failure: DialectFailure) -> (MockJSON, Status) {
        switch failure.kind {
        case .noKey, .wrongKey, .expiredKey: return (["message": "HMAC secret key does not match"], 401)
        case .quota: return (["error": ["message": "AppIdNoAuthError:(tokens.total)", "code": "11200"]], 403)
        default:
            let code = SparkCodes.code(failure)
            return (["code": .int(code), "message": .string(failure.message), "sid": "cha000b0000@dx"], 200)
        }
    }

    static func zhipu(_ failure: DialectFailure) -> String {
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

    static func moonshot(_ failure: DialectFailure) -> (String, String) {
        switch failure.kind {
        case .noKey, .wrongKey, .expiredKey: return ("invalid_authentication_error", "Invalid Authentication")
        case .forbidden: return ("permission_denied_error", failure.message)
        case .noModel, .noPath: return ("resource_not_found_error", failure.message)
        case .quota:
            return ("exceeded_current_quota_error", "Your account is not active, current state: exceeded quota")
        case .rateLimit:
            let wait = failure.waitSeconds ?? 1
            return (
                "rate_limit_reached_error",
                "Your account request reached max organization concurrency: 1, please try again after \(wait) seconds"
            )
        case .overloaded:
            return ("engine_overloaded_error", "The engine is currently overloaded, please try again later")
        case .promptRefused: return ("content_filter", "The request was rejected because it was considered high risk")
        case .contextLength:
            return ("invalid_request_error", "Invalid request: Your request exceeded model token limit: 8192")
        case .server, .timeout: return ("server_error", failure.message)
        default: return ("invalid_request_error", failure.message)
        }
    }

    static func miniMax(_ failure: DialectFailure) -> Int {
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

    static func ark(_ failure: DialectFailure) -> (String, String) {
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

    static func qwen(_ failure: DialectFailure) -> (String, String) {
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

    static func mistral(_ failure: DialectFailure) -> (MockJSON, Status) {
        if failure.code == "extra_forbidden" {
            let one: MockJSON = [
                "type": "extra_forbidden", "loc": ["body", .string(failure.param ?? "")],
                "msg": "Extra inputs are not permitted",
            ]
            return (["detail": [one]], 422)
        }
        switch failure.kind {
        case .noKey, .wrongKey, .expiredKey: return (["detail": "Unauthorized"], 401)
        default:
            return (
                [
                    "object": "error", "message": .string(failure.message), "type": "invalid_request_error",
                    "param": nil, "code": "3000",
                ], failure.usualStatus
            )
        }
    }

    static func xAI(_ failure: DialectFailure) -> String {
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

    static func vLLM(_ failure: DialectFailure) -> String {
        switch failure.usualStatus.code {
        case 401: "Unauthorized"
        case 404: "NotFoundError"
        case 500...: "InternalServerError"
        default: "BadRequestError"
        }
    }

    static func llamaCpp(_ failure: DialectFailure) -> String {
        switch failure.kind {
        case .noKey, .wrongKey, .expiredKey: "authentication_error"
        case .noModel, .noPath: "not_found_error"
        case .overloaded: "unavailable_error"
        case .server, .timeout: "server_error"
        case .contextLength: "exceed_context_size_error"
        default: "invalid_request_error"
        }
    }

    static func azure(_ failure: DialectFailure) -> (MockJSON, Status) {
        func gateway(_ code: String, _ message: String) -> MockJSON {
            ["error": ["code": .string(code), "message": .string(message)]]
        }
        switch failure.kind {
        case .noKey, .wrongKey, .expiredKey:
            return (
                gateway(
                    "401",
                    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource."
                ), 401
            )
        case .noModel:
            return (
                gateway(
                    "DeploymentNotFound",
                    "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again."
                ), 404
            )
        case .noPath: return (gateway("404", "Resource not found"), 404)
        case .rateLimit:
            let wait = failure.waitSeconds ?? 7
            return (
                gateway(
                    "429",
                    "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after \(wait) seconds."
                ), 429
            )
        case .promptRefused:
            let filters = CompatibleReply.filters.with("jailbreak", ["filtered": true, "detected": true])
            let error: MockJSON = [
                "message":
                    "The response was filtered due to the prompt triggering the content management policy. Please modify your prompt and retry.",
                "type": nil, "param": "prompt", "code": "content_filter", "status": 400,
                "innererror": ["code": "ResponsibleAIPolicyViolation", "content_filter_result": filters],
            ]
            return (["error": error], 400)
        case .server, .overloaded, .timeout:
            return (gateway("\(failure.usualStatus.code)", failure.message), failure.usualStatus)
        default:
            return (
                wrapped(.string(failure.message), type(failure), .optional(failure.param), code(failure)),
                failure.usualStatus
            )
        }
    }
}
