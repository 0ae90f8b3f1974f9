internal import SluiceCore
internal import SluiceHTTP

/// Tencent Hunyuan's native interface, under `/hunyuan-native/`: one path, the action in the head, TC3 signatures.
struct HunyuanDialect: Dialect {
    var hasRetryAfter: Bool { false }

    func model(_ call: DialectCall) -> String? { call.json?["Model"]?.text }

    func authorize(_ call: DialectCall) throws(DialectFailure) { try TC3.check(call) }

    func reply(_ call: DialectCall, _ turn: DialectTurn) throws(DialectFailure) -> Reply {
        if call.header("x-tc-version") != "2023-09-01" {
            throw .invalid("The version is not valid.", code: "NoSuchVersion")
        }
        switch call.header("x-tc-action") {
        case "ChatCompletions":
            if turn.identity.model == ModelReplies.missing {
                throw DialectFailure(.noModel, "The model does not exist.")
            }
            let question = try HunyuanRequest(call).question
            let reply = HunyuanReply(try Answer(question, turn.behaviour), turn)
            return question.isStream ? reply.stream() : reply.whole()
        case "GetEmbedding": return try embeddings(call, turn)
        default: throw .invalid("The action is not valid.", code: "InvalidAction")
        }
    }

    private func embeddings(_ call: DialectCall, _ turn: DialectTurn) throws(DialectFailure) -> Reply {
        let body = try call.object()
        guard let texts = MockVectors.inputs(body["InputList"] ?? body["Input"]), texts.count <= 50 else {
            throw .invalid("Input or InputList is required.")
        }
        let data = texts.enumerated().map { index, text -> MockJSON in
            ["Embedding": MockVectors.json(text, 1024), "Index": .int(index), "Object": "embedding"]
        }
        let tokens = MockJSON.int(Tokens.estimate(byteCount: texts.reduce(0) { $0 + $1.utf8.count }))
        return Reply([
            "Response": [
                "Data": .array(data), "Usage": ["PromptTokens": tokens, "TotalTokens": tokens],
                "RequestId": .string(turn.identity.hex),
            ]
        ])
    }

    /// Whatever went wrong, the status is 200.
    func reply(_ failure: DialectFailure, _ call: DialectCall, _ turn: DialectTurn) -> Reply {
        let error: MockJSON = ["Code": .string(Self.code(failure)), "Message": .string(failure.message)]
        return Reply(["Response": ["Error": error, "RequestId": .string(turn.identity.hex)]])
    }

    private static func code(_ failure: DialectFailure) -> String {
        if let code = failure.code, code.first?.isUppercase == true { return code }
        switch failure.kind {
        case .noKey: return "AuthFailure.SignatureFailure"
        case .wrongKey: return "AuthFailure.SecretIdNotFound"
        case .expiredKey: return "AuthFailure.SignatureExpire"
        case .forbidden: return "UnauthorizedOperation"
        case .noModel: return "InvalidParameterValue.Model"
        case .rateLimit: return "RequestLimitExceeded"
        case .quota: return "FailedOperation.ResourcePackExhausted"
        case .overloaded: return "FailedOperation.EngineServerLimitExceeded"
        case .server: return "InternalError"
        case .timeout: return "FailedOperation.EngineRequestTimeout"
        case .promptRefused: return "OperationDenied.TextIllegalDetected"
        default: return "InvalidParameter"
        }
    }
}
