internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON

/// What an endpoint answers when it does not answer: OpenAI's error object.
struct APIError: Error, Equatable {
    var status: Status
    var type: String = "invalid_request_error"
    var code: String?
    var param: String?
    var message: String

    init(
        _ status: Status, _ message: String, type: String = "invalid_request_error", code: String? = nil,
        param: String? = nil
    ) {
        self.status = status
        self.message = message
        self.type = type
        self.code = code
        self.param = param
    }

    /// `{"error":{…}}`, with all four members.
    func write(to buffer: ByteBuffer) {
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.key("error")
            writeObject(&json)
        }
    }

    func writeObject(_ json: inout JSONWriter) {
        json.object { json in
            json.key("message")
            json.string(message)
            json.key("type")
            json.string(type)
            json.key("param")
            json.stringOrNull(param)
            json.key("code")
            json.stringOrNull(code)
        }
    }
}

// MARK: - What callers do wrong

extension APIError {
    static let notJSON = APIError(
        400,
        "We could not parse the JSON body of your request. (HINT: The OpenAI API expects a JSON payload, but what was sent "
            + "was not valid JSON.)", code: "invalid_json")

    static func missing(_ parameter: String) -> APIError {
        APIError(
            400, "Missing required parameter: '\(parameter)'.", code: "missing_required_parameter", param: parameter)
    }

    static func invalidType(_ parameter: String, expected: String) -> APIError {
        APIError(400, "Invalid type for '\(parameter)': expected \(expected).", code: "invalid_type", param: parameter)
    }

    static func invalidValue(_ parameter: String, _ reason: String) -> APIError {
        APIError(400, "Invalid value for '\(parameter)': \(reason).", code: "invalid_value", param: parameter)
    }

    static func emptyArray(_ parameter: String) -> APIError {
        APIError(
            400,
            "Invalid '\(parameter)': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            code: "empty_array", param: parameter)
    }

    static func noSuchModel(_ model: String) -> APIError {
        APIError(
            404, "The model `\(model)` does not exist or you do not have access to it.", code: "model_not_found")
    }

    static func noSuch(_ kind: String, _ id: String) -> APIError {
        APIError(404, "No such \(kind): '\(id)'.", code: nil, param: "id")
    }

    static func unknownURL(_ method: Method, _ path: String) -> APIError {
        APIError(404, "Invalid URL (\(method.name) \(path))", code: "unknown_url")
    }

    static func methodNotAllowed(_ method: Method, _ path: String) -> APIError {
        APIError(
            405, "Not allowed to \(method.name) on \(path). (HINT: Perhaps you meant to use a different HTTP method?)",
            code: "method_not_supported")
    }

    static let noKey = APIError(401, "You didn't provide an API key.")

    static func wrongKey(_ key: String) -> APIError {
        let shown = key.count > 8 ? "\(key.prefix(3))***\(key.suffix(3))" : "***"
        return APIError(401, "Incorrect API key provided: \(shown).", code: "invalid_api_key")
    }

    static func unknownParameter(_ name: String) -> APIError {
        APIError(400, "Unknown parameter: '\(name)'.", code: "unknown_parameter", param: name)
    }

    static let storeFull = APIError(
        413, "The mock keeps no more objects than it has. POST /mock/reset forgets them.", code: "mock_store_full")

    static func behaviour(_ mistake: BehaviourMistake) -> APIError {
        APIError(400, mistake.description, code: "mock_behaviour", param: "model")
    }
}

// MARK: - What a behaviour asks for

extension APIError {
    static let contextLength = APIError(
        400, "This model's maximum context length is 128000 tokens. However, your messages resulted in 130012 tokens.",
        code: "context_length_exceeded", param: "messages")

    static let promptRefused = APIError(
        400, "The response was filtered due to the prompt triggering content management policy.",
        code: "content_filter",
        param: "prompt")

    static let quota = APIError(
        429, "You exceeded your current quota.", type: "insufficient_quota", code: "insufficient_quota")

    static let noPrefill = APIError(
        400, "This model does not support assistant message prefill. The conversation must end with a user message.",
        param: "messages")
    static let serverError = APIError(
        500, "The server had an error while processing your request.", type: "server_error")

    /// - Parameter wait: in milliseconds, what is said about when to try again.
    static func rateLimit(_ model: String, wait: Int) -> APIError {
        APIError(
            429,
            "Rate limit reached for \(model) on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in "
                + "\(GoDuration.text(milliseconds: wait)).", type: "requests", code: "rate_limit_exceeded")
    }

    /// The error that goes with a status that a behaviour names.
    static func status(_ status: Status, model: String, wait: Int) -> APIError {
        switch status.code {
        case 401: APIError(401, "Incorrect API key provided: ***.", code: "invalid_api_key")
        case 403:
            APIError(
                403, "Country, region, or territory not supported.", type: "request_forbidden",
                code: "unsupported_country_region_territory")
        case 404: noSuchModel(model)
        case 408: APIError(408, "The request took too long.", code: "request_timeout")
        case 429: rateLimit(model, wait: wait)
        case 500: serverError
        case 503:
            APIError(
                503, "The requested model is overloaded.", type: "service_unavailable_error",
                code: "server_is_overloaded")
        case 529: APIError(529, "Overloaded", type: "overloaded_error", code: "overloaded")
        case 400..<500: APIError(status, "The request was refused with status \(status.code).")
        default: APIError(status, "The server answered with status \(status.code).", type: "server_error")
        }
    }
}
