internal import SluiceCore
internal import SluiceHTTP

/// Anthropic Messages: `/anthropic/v1/messages`, its token counter, and the models list.
struct AnthropicDialect: Dialect {
    static let versions = ["2023-06-01", "2026-10-21"]

    func authorize(_ call: DialectCall) throws(DialectFailure) {
        try call.check(key: call.header("x-api-key") ?? call.bearer)
        guard let version = call.header("anthropic-version") else {
            throw .invalid("anthropic-version: header is required")
        }
        if !Self.versions.contains(version) {
            throw .invalid("anthropic-version: \"\(version)\" is not a valid version")
        }
    }

    func model(_ call: DialectCall) -> String? {
        call.json?["model"]?.text ?? (call.path.count == 3 && call.path[1] == "models" ? call.path[2] : nil)
    }

    func reply(_ call: DialectCall, _ turn: DialectTurn) throws(DialectFailure) -> Reply {
        switch call.path {
        case ["v1", "messages"]:
            if !call.isPost { throw DialectFailure(.method, "Method Not Allowed") }
            let request = try AnthropicRequest(call)
            let answer = try Answer(request.question, turn.behaviour)
            let reply = AnthropicReply(answer, request, turn)
            return request.question.isStream ? reply.stream() : reply.whole()
        case ["v1", "messages", "count_tokens"]:
            let request = try AnthropicRequest(call, isCount: true)
            let tokens = Tokens.estimate(byteCount: request.question.promptByteCount)
            return Reply(["input_tokens": .int(tokens)], fields: AnthropicReply.fields(turn))
        case ["v1", "models"]: return AnthropicModels.list(turn)
        default:
            if call.path.count == 3, call.path[0] == "v1", call.path[1] == "models" {
                return try AnthropicModels.one(call.path[2], turn)
            }
            throw DialectFailure(.noPath, "Not Found")
        }
    }

    func reply(_ failure: DialectFailure, _ call: DialectCall, _ turn: DialectTurn) -> Reply {
        let (type, status) = Self.spelling(failure)
        return Reply(
            Self.error(type, failure.message, turn), status: status,
            fields: [("request-id", "req_\(turn.identity.hex)")])
    }

    static func error(_ type: String, _ message: String, _ turn: DialectTurn) -> MockJSON {
        [
            "type": "error", "error": ["type": .string(type), "message": .string(message)],
            "request_id": .string("req_\(turn.identity.hex)"),
        ]
    }

    private static func spelling(_ failure: DialectFailure) -> (String, Status) {
        switch failure.kind {
        case .invalid, .contextLength, .promptRefused, .method: ("invalid_request_error", failure.usualStatus)
        case .noKey, .wrongKey, .expiredKey: ("authentication_error", 401)
        case .quota: ("billing_error", 402)
        case .forbidden: ("permission_error", 403)
        case .noModel, .noPath: ("not_found_error", 404)
        case .tooLarge: ("request_too_large", 413)
        case .rateLimit: ("rate_limit_error", 429)
        case .server: ("api_error", failure.usualStatus)
        case .timeout: ("timeout_error", 504)
        case .overloaded: ("overloaded_error", 529)
        }
    }
}

/// `GET /v1/models`.
enum AnthropicModels {
    private static let listed = ["claude-haiku-4-5", "claude-sonnet-4-6", "claude-opus-4-8", "claude-mock"]

    static func list(_ turn: DialectTurn) -> Reply {
        Reply(
            [
                "data": .array(listed.map { model($0) }), "first_id": .string(listed[0]), "has_more": false,
                "last_id": .string(listed[listed.count - 1]),
            ], fields: AnthropicReply.fields(turn))
    }

    static func one(_ id: String, _ turn: DialectTurn) throws(DialectFailure) -> Reply {
        if id == ModelReplies.missing { throw DialectFailure(.noModel, "model: \(id)") }
        return Reply(model(id), fields: AnthropicReply.fields(turn))
    }

    private static func model(_ id: String) -> MockJSON {
        [
            "type": "model", "id": .string(id), "display_name": .string(id), "created_at": "2025-11-24T00:00:00Z",
            "max_input_tokens": 200_000, "max_tokens": 64_000,
        ]
    }
}
