internal import SluiceCore
internal import SluiceHTTP

/// Baidu's legacy interface, under `/baidu-v1`: access tokens, a path for each model, errors with status 200.
struct WenxinDialect: Dialect {
    private static let root = ["rpc", "2.0", "ai_custom", "v1", "wenxinworkshop"]
    private static let kind = "24"
    private static let lifetime = 2_592_000

    var hasRetryAfter: Bool { false }

    private func isToken(_ call: DialectCall) -> Bool { call.path == ["oauth", "2.0", "token"] }

    func model(_ call: DialectCall) -> String? { isToken(call) ? nil : call.path.last }

    func authorize(_ call: DialectCall) throws(DialectFailure) {
        if isToken(call) { return }
        if let value = call.authorization, value.hasPrefix("bce-auth-v1/") {
            return try BaiduSignature.check(value, call)
        }
        guard let token = call.parameter("access_token") else {
            throw DialectFailure(.noKey, "Invalid parameter access_token")
        }
        switch Seal.state(of: token, Self.kind, now: call.now) {
        case .valid: break
        case .expired: throw DialectFailure(.expiredKey, "Access token expired")
        case .unknown: throw DialectFailure(.wrongKey, "Access token invalid or no longer valid")
        }
    }

    func reply(_ call: DialectCall, _ turn: DialectTurn) throws(DialectFailure) -> Reply {
        if isToken(call) { return token(call) }
        guard call.path.count == 7, call.path.starts(with: Self.root) else {
            throw DialectFailure(.noPath, "Unsupported openapi method")
        }
        if !call.isPost { throw DialectFailure(.method, "http method is not supported") }
        if turn.identity.model == ModelReplies.missing { throw DialectFailure(.noModel, "Unsupported openapi method") }
        switch call.path[5] {
        case "chat":
            let request = try WenxinRequest(call)
            let reply = WenxinReply(try Answer(request.question, turn.behaviour), turn)
            return request.question.isStream ? reply.stream() : reply.whole()
        case "embeddings":
            guard let inputs = MockVectors.inputs(try call.object()["input"]), inputs.count <= 16 else {
                throw .invalid("input must be an array of at most 16 texts")
            }
            let tokens = MockJSON.int(Tokens.estimate(byteCount: inputs.reduce(0) { $0 + $1.utf8.count }))
            return Reply([
                "id": .string("as-\(turn.identity.hex.prefix(10))"), "object": "embedding_list",
                "created": .int(turn.identity.created), "data": MockVectors.list(inputs, 384),
                "usage": ["prompt_tokens": tokens, "total_tokens": tokens],
            ])
        default: throw DialectFailure(.noPath, "Unsupported openapi method")
        }
    }

    private func token(_ call: DialectCall) -> Reply {
        let members = call.parameters + DialectCall.form(String(decoding: call.body.span))
        func value(_ name: String) -> String { members.first { $0.name == name }?.value ?? "" }
        func refused(_ reason: String) -> Reply {
            Reply(["error": "invalid_client", "error_description": .string(reason)], status: 401)
        }
        if value("grant_type") != "client_credentials" {
            return Reply(
                ["error": "unsupported_grant_type", "error_description": "The grant type is not supported"], status: 400
            )
        }
        if value("client_id").isEmpty || value("client_id").hasSuffix("sk-refused") {
            return refused("unknown client id")
        }
        if value("client_secret").isEmpty || value("client_secret").hasSuffix("sk-refused") {
            return refused("Client authentication failed")
        }
        let lifetime = call.options.tokenSeconds ?? Self.lifetime
        return Reply([
            "refresh_token": "25.mock", "expires_in": .int(lifetime), "session_key": "mock",
            "access_token": .string(Seal.token(Self.kind, now: call.now, lifetime: lifetime)), "scope": "public",
            "session_secret": "mock",
        ])
    }

    /// Whatever went wrong, the status is 200.
    func reply(_ failure: DialectFailure, _ call: DialectCall, _ turn: DialectTurn) -> Reply {
        Reply(Self.error(failure, turn))
    }

    static func error(_ failure: DialectFailure, _ turn: DialectTurn) -> MockJSON {
        let code =
            switch failure.kind {
            case .noKey: 100
            case .wrongKey: 110
            case .expiredKey: 111
            case .forbidden: failure.code == "14" ? 14 : 6
            case .noModel, .noPath: 3
            case .method: 336_101
            case .rateLimit: 18
            case .quota: 19
            case .overloaded: 336_100
            case .timeout: 2
            case .server: 336_000
            case .promptRefused: 336_104
            case .invalid where failure.code == "malformed_json": 336_002
            default: 336_003
            }
        let message = failure.kind == .contextLength ? "the max length of current question is 2000" : failure.message
        return [
            "error_code": .int(code), "error_msg": .string(message),
            "id": .string("as-\(turn.identity.hex.prefix(10))"),
        ]
    }
}
