internal import SluiceCore
internal import SluiceHTTP

/// The providers that speak OpenAI's chat completions with differences.
struct CompatibleDialect: Dialect {
    let traits: CompatibleTraits

    var hasRetryAfter: Bool {
        switch traits.errors {
        case .zhipu, .moonshot, .spark, .miniMax: false
        default: true
        }
    }

    func authorize(_ call: DialectCall) throws(DialectFailure) {
        switch call.prefix {
        case "azure", "azure-v1": try AzureAccess.check(call)
        case "zhipu": try ZhipuToken.check(call)
        // A server on one's own machine wants no key.
        case "vllm", "sglang", "ollama", "llamacpp": if let key = call.bearer { try call.check(key: key) }
        default: try call.check(key: call.bearer)
        }
    }

    func model(_ call: DialectCall) -> String? {
        call.prefix == "azure" ? AzureAccess.deployment(call) ?? call.json?["model"]?.text : call.json?["model"]?.text
    }

    func reply(_ call: DialectCall, _ turn: DialectTurn) throws(DialectFailure) -> Reply {
        if AzureAccess.isToken(call) { return AzureAccess.token(call) }
        if call.prefix == "azure" { try AzureAccess.checkPath(call) }
        if call.ends(with: "chat", "completions") || call.ends(with: "text", "chatcompletion_v2") {
            if !call.isPost { throw DialectFailure(.method, "Method not allowed") }
            if call.prefix == "azure", turn.identity.model == ModelReplies.missing {
                throw DialectFailure(.noModel, "")
            }
            let request = try CompatibleRequest(call, traits, needsModel: call.prefix != "azure")
            let answer = try Answer(request.question, turn.behaviour)
            let reply = CompatibleReply(
                answer: answer, request: request, traits: traits, prefix: call.prefix, turn: turn)
            return request.question.isStream ? CompatibleStream(reply).stream() : reply.whole()
        }
        if call.ends(with: "embeddings"), traits.embeds { return try embeddings(call) }
        if call.ends(with: "models"), traits.lists { return models(call.prefix) }
        if call.prefix == "deepseek", call.ends(with: "user", "balance") {
            return Reply(["is_available": true, "balance_infos": [["currency": "CNY", "total_balance": "110.00"]]])
        }
        if call.ends(with: "health"), ["vllm", "sglang", "llamacpp"].contains(call.prefix) {
            return Reply(["status": "ok"])
        }
        throw DialectFailure(.noPath, "Not found: \(call.rawPath)")
    }

    func reply(_ failure: DialectFailure, _ call: DialectCall, _ turn: DialectTurn) -> Reply {
        CompatibleErrors.reply(failure, traits.errors, turn)
    }

    private func embeddings(_ call: DialectCall) throws(DialectFailure) -> Reply {
        let body = try call.object()
        guard let inputs = MockVectors.inputs(body["input"]) else {
            throw .invalid("input must be a text or texts", param: "input")
        }
        if call.prefix != "azure", body["model"]?.text == nil {
            throw .invalid("model is missing", param: "model", code: "invalid_model")
        }
        if call.prefix == "hunyuan", body["dimensions"]?.whole ?? 1024 != 1024 {
            throw .invalid("dimensions is not supported", param: "dimensions")
        }
        if call.prefix == "qwen", inputs.count > 10 {
            throw .invalid("batch size is invalid, it should not be larger than 10", param: "input")
        }
        let dimensions = body["dimensions"]?.whole ?? traits.dimensions
        guard (1...4096).contains(dimensions) else { throw .invalid("dimensions", param: "dimensions") }
        let tokens = Tokens.estimate(byteCount: inputs.reduce(0) { $0 + $1.utf8.count })
        return Reply([
            "id": call.prefix == "baidu" ? "as-mock" : .absent,
            "object": call.prefix == "baidu" ? "embedding_list" : "list", "data": MockVectors.list(inputs, dimensions),
            "model": body["model"] ?? .string(call.path.count > 2 ? call.path[2] : ""),
            "usage": ["prompt_tokens": .int(tokens), "total_tokens": .int(tokens)],
        ])
    }

    private func models(_ prefix: String) -> Reply {
        let ids = ["\(prefix)-mock", "\(prefix)-mock-mini"]
        let list = ids.map { id -> MockJSON in
            [
                "id": .string(id), "object": "model", "created": 1_764_000_000, "owned_by": .string(prefix),
                "max_model_len": prefix == "vllm" ? 32_768 : .absent,
            ]
        }
        return Reply(["object": "list", "data": .array(list)])
    }
}
