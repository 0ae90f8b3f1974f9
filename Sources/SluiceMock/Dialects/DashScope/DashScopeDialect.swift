internal import SluiceCore
internal import SluiceHTTP

/// DashScope's native interface, under `/dashscope/api/v1/services/…`.
struct DashScopeDialect: Dialect {
    var hasRetryAfter: Bool { false }

    private static let services = ["api", "v1", "services"]

    func reply(_ call: DialectCall, _ turn: DialectTurn) throws(DialectFailure) -> Reply {
        guard call.path.starts(with: Self.services), call.isPost else {
            throw DialectFailure(.noPath, "url error", code: "InvalidParameter")
        }
        if turn.identity.model == ModelReplies.missing { throw DialectFailure(.noModel, "Model not exist.") }
        if call.header("x-dashscope-async") != nil {
            throw DialectFailure(.rateLimit, "current user api does not support asynchronous calls.")
        }
        switch Array(call.path.dropFirst(3)) {
        case ["aigc", "text-generation", "generation"]: return try chat(call, turn, isMultimodal: false)
        case ["aigc", "multimodal-generation", "generation"]: return try chat(call, turn, isMultimodal: true)
        case ["embeddings", "text-embedding", "text-embedding"]: return try embeddings(call, turn)
        default: throw DialectFailure(.noPath, "url error", code: "InvalidParameter")
        }
    }

    private func chat(_ call: DialectCall, _ turn: DialectTurn, isMultimodal: Bool) throws(DialectFailure) -> Reply {
        let request = try DashScopeRequest(call, isMultimodal: isMultimodal)
        let reply = DashScopeReply(try Answer(request.question, turn.behaviour), request, turn)
        return request.question.isStream ? reply.stream() : reply.whole()
    }

    private func embeddings(_ call: DialectCall, _ turn: DialectTurn) throws(DialectFailure) -> Reply {
        let body = try call.object()
        guard let texts = MockVectors.inputs(body["input"]?["texts"]) else { throw .invalid("input.texts is required") }
        if texts.count > 25 { throw .invalid("batch size is invalid, it should not be larger than 25.: input.texts") }
        let dimensions = body["parameters"]?["dimension"]?.whole ?? 1024
        guard (1...4096).contains(dimensions) else { throw .invalid("parameters.dimension") }
        let list = texts.enumerated().map { index, text -> MockJSON in
            ["text_index": .int(index), "embedding": MockVectors.json(text, dimensions)]
        }
        let tokens = Tokens.estimate(byteCount: texts.reduce(0) { $0 + $1.utf8.count })
        return Reply([
            "output": ["embeddings": .array(list)], "usage": ["total_tokens": .int(tokens)],
            "request_id": .string(turn.identity.hex),
        ])
    }

    func reply(_ failure: DialectFailure, _ call: DialectCall, _ turn: DialectTurn) -> Reply {
        let code = Self.code(failure)
        let status: Status = failure.code == "InvalidParameter" ? 400 : failure.usualStatus
        return Reply(Self.error(code, failure, turn), status: status)
    }

    static func error(_ code: String, _ failure: DialectFailure, _ turn: DialectTurn) -> MockJSON {
        let message = failure.kind == .contextLength ? "Range of input length should be [1, 30720]" : failure.message
        return ["code": .string(code), "message": .string(message), "request_id": .string(turn.identity.hex)]
    }

    static func code(_ failure: DialectFailure) -> String {
        switch failure.kind {
        case .noKey, .wrongKey, .expiredKey: "InvalidApiKey"
        case .forbidden: "AccessDenied"
        case .quota: "Arrearage"
        case .rateLimit: "Throttling.RateQuota"
        case .noModel: "ModelNotFound"
        case .promptRefused: "DataInspectionFailed"
        case .server: "InternalError"
        case .overloaded: "ModelServingError"
        case .timeout: "RequestTimeOut"
        case .tooLarge: "BadRequest.TooLarge"
        default: "InvalidParameter"
        }
    }
}
