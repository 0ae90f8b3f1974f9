internal import SluiceCore
internal import SluiceHTTP

/// Amazon Bedrock's Converse and ConverseStream, under `/bedrock`.
struct BedrockDialect: Dialect {
    var hasRetryAfter: Bool { false }

    func model(_ call: DialectCall) -> String? {
        call.path.count == 3 && call.path[0] == "model" ? call.path[1] : nil
    }

    func authorize(_ call: DialectCall) throws(DialectFailure) {
        if let token = call.bearer { return try call.check(key: token) }
        try SigV4.check(call)
    }

    func reply(_ call: DialectCall, _ turn: DialectTurn) throws(DialectFailure) -> Reply {
        if call.path == ["foundation-models"] { return Self.models(turn) }
        guard let model = model(call), call.isPost else {
            throw DialectFailure(.noPath, "UnknownOperation", code: "UnknownOperationException")
        }
        if model == ModelReplies.missing {
            throw DialectFailure(.noModel, "The provided model identifier is invalid.")
        }
        switch call.path[2] {
        case "converse", "converse-stream":
            let request = try BedrockRequest(call)
            let reply = BedrockReply(try Answer(request.question, turn.behaviour), turn)
            return call.path[2] == "converse" ? reply.whole() : reply.stream()
        case "count-tokens": return Reply(["inputTokens": .int(Tokens.estimate(byteCount: call.body.count))])
        default: throw DialectFailure(.noPath, "UnknownOperation", code: "UnknownOperationException")
        }
    }

    private static func models(_ turn: DialectTurn) -> Reply {
        let ids = ["anthropic.claude-3-5-sonnet-20240620-v1:0", "amazon.nova-lite-v1:0"]
        let list = ids.map { id -> MockJSON in
            ["modelId": .string(id), "modelName": .string(id), "responseStreamingSupported": true]
        }
        return Reply(["modelSummaries": .array(list)], fields: BedrockReply.fields(turn))
    }

    func reply(_ failure: DialectFailure, _ call: DialectCall, _ turn: DialectTurn) -> Reply {
        let (type, status) = Self.spelling(failure)
        let message = failure.kind == .contextLength ? "Input is too long for requested model." : failure.message
        return Reply(
            ["message": .string(message)], status: status,
            fields: BedrockReply.fields(turn) + [
                ("x-amzn-errortype", "\(type):http://internal.amazon.com/coral/com.amazon.bedrock/")
            ])
    }

    private static func spelling(_ failure: DialectFailure) -> (String, Status) {
        if let code = failure.code { return (code, code == "UnknownOperationException" ? 404 : 403) }
        return switch failure.kind {
        case .invalid, .contextLength, .promptRefused, .tooLarge, .method: ("ValidationException", 400)
        case .noKey: ("MissingAuthenticationTokenException", 403)
        case .wrongKey: ("UnrecognizedClientException", 403)
        case .expiredKey: ("ExpiredTokenException", 403)
        case .forbidden: ("AccessDeniedException", 403)
        case .noModel, .noPath: ("ResourceNotFoundException", 404)
        case .rateLimit: ("ThrottlingException", 429)
        case .quota: ("ServiceQuotaExceededException", 400)
        case .server: ("InternalServerException", 500)
        case .overloaded: ("ServiceUnavailableException", 503)
        case .timeout: ("ModelTimeoutException", 408)
        }
    }
}
