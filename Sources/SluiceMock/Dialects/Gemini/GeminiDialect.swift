internal import SluiceCore
internal import SluiceHTTP

/// Gemini's generateContent: the Developer API under `/gemini`, the Vertex form under `/vertex`.
struct GeminiDialect: Dialect {
    let isVertex: Bool

    var hasRetryAfter: Bool { false }

    /// The last segment is `{model}:{method}`.
    private func operation(_ call: DialectCall) -> (model: String, method: String)? {
        guard let last = call.path.last, let colon = last.lastIndex(of: ":") else { return nil }
        return (String(last[..<colon]), String(last[last.index(after: colon)...]))
    }

    private func isModelPath(_ call: DialectCall) -> Bool {
        let path = call.path
        if isVertex {
            return path.count == 9 && ["v1", "v1beta1"].contains(path[0]) && path[1] == "projects"
                && path[3] == "locations" && path[5] == "publishers" && path[6] == "google" && path[7] == "models"
        }
        return path.count == 3 && ["v1", "v1beta"].contains(path[0]) && path[1] == "models"
    }

    func model(_ call: DialectCall) -> String? { operation(call)?.model }

    func authorize(_ call: DialectCall) throws(DialectFailure) {
        if !isVertex { return try call.check(key: call.header("x-goog-api-key") ?? call.parameter("key")) }
        if call.path == ["token"] || call.path == ["service-account.json"] { return }
        guard let token = call.bearer else {
            throw DialectFailure(.noKey, "Request is missing required authentication credential.")
        }
        switch Seal.state(of: token, "ya29", now: call.now) {
        case .valid: break
        case .expired, .unknown:
            throw DialectFailure(
                .expiredKey, "Request had invalid authentication credentials. Expected OAuth 2 access token.")
        }
    }

    func reply(_ call: DialectCall, _ turn: DialectTurn) throws(DialectFailure) -> Reply {
        if isVertex, call.path == ["token"] { return try GoogleToken.reply(call) }
        if isVertex, call.path == ["service-account.json"] { return GoogleToken.account(call) }
        if !isVertex, call.path.count == 2, call.path[1] == "models" { return GeminiModels.list() }
        guard isModelPath(call) else { throw DialectFailure(.noPath, "Requested entity was not found.") }
        guard let (model, method) = operation(call) else {
            if isVertex { throw DialectFailure(.noPath, "Requested entity was not found.") }
            return try GeminiModels.one(call.path[2])
        }
        if !call.isPost { throw DialectFailure(.method, "Method not allowed.") }
        if model == ModelReplies.missing {
            throw DialectFailure(.noModel, "models/\(model) is not found for API version v1beta.")
        }
        switch method {
        case "generateContent", "streamGenerateContent":
            let request = try GeminiRequest(call, model: model, isVertex: isVertex)
            if turn.behaviour.fault == .promptRefused { return GeminiReply.blocked(request, turn) }
            let reply = GeminiReply(try Answer(request.question, turn.behaviour), request, turn)
            if method == "generateContent" { return reply.whole() }
            return call.parameter("alt") == "sse" ? reply.stream() : reply.array()
        case "countTokens":
            return Reply(["totalTokens": .int(Tokens.estimate(byteCount: call.body.count))])
        case "embedContent", "batchEmbedContents":
            return try GeminiEmbeddings.reply(call, isBatch: method != "embedContent")
        default: throw DialectFailure(.noPath, "Requested entity was not found.")
        }
    }

    func reply(_ failure: DialectFailure, _ call: DialectCall, _ turn: DialectTurn) -> Reply {
        if call.path == ["token"] {
            return Reply(["error": "invalid_grant", "error_description": .string(failure.message)], status: 400)
        }
        let error = Self.error(failure, model: turn.identity.model)
        let isStream = operation(call)?.method == "streamGenerateContent" && call.parameter("alt") != "sse"
        return Reply(isStream ? .array([error.json]) : error.json, status: error.status)
    }

    static func error(_ failure: DialectFailure, model: String) -> (json: MockJSON, status: Status) {
        let (code, status): (Int, String) =
            switch failure.kind {
            case .invalid, .contextLength, .promptRefused, .tooLarge: (400, "INVALID_ARGUMENT")
            case .wrongKey: (400, "INVALID_ARGUMENT")
            case .expiredKey: (401, "UNAUTHENTICATED")
            case .noKey, .forbidden: (403, "PERMISSION_DENIED")
            case .noModel, .noPath, .method: (404, "NOT_FOUND")
            case .rateLimit, .quota: (429, "RESOURCE_EXHAUSTED")
            case .server: (500, "INTERNAL")
            case .overloaded: (503, "UNAVAILABLE")
            case .timeout: (504, "DEADLINE_EXCEEDED")
            }
        let members: MockJSON = [
            "code": .int(code), "message": .string(message(failure)), "status": .string(status),
            "details": details(failure, model),
        ]
        return (["error": members], Status(UInt16(code)))
    }

    private static func message(_ failure: DialectFailure) -> String {
        switch failure.kind {
        case .wrongKey: "API key not valid. Please pass a valid API key."
        case .contextLength: "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
        case .overloaded: "The model is overloaded. Please try again later."
        case .rateLimit, .quota: "You exceeded your current quota, please check your plan and billing details."
        default: failure.message
        }
    }

    private static func details(_ failure: DialectFailure, _ model: String) -> MockJSON {
        switch failure.kind {
        case .wrongKey:
            return [
                [
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID",
                    "domain": "googleapis.com", "metadata": ["service": "generativelanguage.googleapis.com"],
                ]
            ]
        case .rateLimit, .quota:
            let period = failure.kind == .quota ? "PerDay" : "PerMinute"
            let quota: MockJSON = [
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [
                    [
                        "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
                        "quotaId": .string("GenerateRequests\(period)PerProjectPerModel-FreeTier"),
                        "quotaDimensions": ["location": "global", "model": .string(model)], "quotaValue": "10",
                    ]
                ],
            ]
            let wait = failure.waitSeconds ?? 37
            return [
                quota, ["@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": .string("\(wait)s")],
            ]
        default: return .absent
        }
    }
}

/// `GET /v1beta/models`.
enum GeminiModels {
    private static let listed = ["gemini-2.5-flash", "gemini-3-flash-preview", "gemini-embedding-001"]

    static func list() -> Reply { Reply(["models": .array(listed.map { model($0) })]) }

    static func one(_ id: String) throws(DialectFailure) -> Reply {
        if id == ModelReplies.missing { throw DialectFailure(.noModel, "models/\(id) is not found.") }
        return Reply(model(id))
    }

    private static func model(_ id: String) -> MockJSON {
        let isEmbedding = id.contains("embedding")
        return [
            "name": .string("models/\(id)"), "displayName": .string(id), "inputTokenLimit": 1_048_576,
            "outputTokenLimit": 65_536,
            "supportedGenerationMethods": isEmbedding
                ? ["embedContent", "batchEmbedContents"] : ["generateContent", "countTokens"],
        ]
    }
}

/// `:embedContent` and `:batchEmbedContents`.
enum GeminiEmbeddings {
    private static let dimensionsByDefault = 768

    static func reply(_ call: DialectCall, isBatch: Bool) throws(DialectFailure) -> Reply {
        let body = try call.object()
        if !isBatch { return Reply(["embedding": ["values": try values(body)]]) }
        guard let requests = body["requests"], !requests.items.isEmpty else {
            throw .invalid("* BatchEmbedContentsRequest.requests: contents is not specified")
        }
        var all: [MockJSON] = []
        for request in requests.items {
            if request["model"]?.text == nil {
                throw .invalid("* BatchEmbedContentsRequest.model: unexpected model name")
            }
            all.append(["values": try values(request)])
        }
        return Reply(["embeddings": .array(all)])
    }

    private static func values(_ request: MockJSON) throws(DialectFailure) -> MockJSON {
        let parts = request["content"]?["parts"]?.items ?? []
        let text = parts.compactMap { $0["text"]?.text }.joined()
        if text.isEmpty { throw .invalid("* EmbedContentRequest.content: contents is not specified") }
        let dimensions = request["outputDimensionality", "output_dimensionality"]?.whole ?? dimensionsByDefault
        guard (1...3072).contains(dimensions) else { throw .invalid("outputDimensionality must be from 1 to 3072") }
        return MockVectors.json(text, dimensions)
    }
}
