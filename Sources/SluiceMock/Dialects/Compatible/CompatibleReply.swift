internal import SluiceCore
internal import SluiceHTTP

/// A chat completion in one provider's spelling, whole.
struct CompatibleReply {
    let answer: Answer
    let request: CompatibleRequest
    let traits: CompatibleTraits
    let prefix: String
    let turn: DialectTurn

    static let filters: MockJSON = [
        "hate": ["filtered": false, "severity": "safe"], "self_harm": ["filtered": false, "severity": "safe"],
        "sexual": ["filtered": false, "severity": "safe"], "violence": ["filtered": false, "severity": "safe"],
    ]
    static let promptFilters: MockJSON = [
        [
            "prompt_index": 0,
            "content_filter_results": filters.with("jailbreak", ["filtered": false, "detected": false]),
        ]
    ]

    var isAzure: Bool { prefix.hasPrefix("azure") }
    var id: String { traits.idPrefix + turn.identity.hex.prefix(24) }
    var model: String { isAzure ? "gpt-4o-2024-08-06" : request.model }

    func callID(_ index: Int) -> String {
        prefix == "mistral" ? "\(turn.identity.hex.prefix(8))\(index % 10)" : turn.identity.callID(index)
    }

    func whole() -> Reply {
        let choice: MockJSON = [
            "index": 0, "message": message, "logprobs": prefix == "spark" ? .absent : .null,
            "finish_reason": prefix == "spark" ? .absent : .string(finishReason),
            "content_filter_results": isAzure ? Self.filters : .absent, "flag": prefix == "baidu" ? 0 : .absent,
            "moderation_hit_type": prefix == "ark" ? .null : .absent,
            "native_finish_reason": prefix == "openrouter" ? .string(finishReason) : .absent,
            "matched_stop": prefix == "sglang" ? .null : .absent, "stop_reason": prefix == "vllm" ? .null : .absent,
        ]
        var body = head("chat.completion").with("choices", [choice])
        if !turn.behaviour.usage.isOmitted { body = body.with("usage", usage) }
        for member in extras.members { body = body.with(member.name, member.value) }
        if isAzure { body = body.with("prompt_filter_results", Self.promptFilters) }
        if prefix == "minimax" { body = body.with("base_resp", ["status_code": 0, "status_msg": ""]) }
        if prefix == "deepseek" {
            // Keep-alives of a reply that is no stream are blank lines before it.
            let buffer = ByteBuffer("\n\n")
            body.write(to: buffer)
            var reply = Reply(Reply.json, .whole(buffer))
            reply.isForeign = true
            return reply
        }
        return Reply(body, fields: fields)
    }

    private var message: MockJSON {
        let isText = answer.calls.isEmpty
        var members: MockJSON = ["role": "assistant", "content": isText ? .string(answer.string) : emptyContent]
        if let reasoning = answer.reasoning {
            switch traits.reasoning {
            case .none: break
            case .member(let name): members = members.with(name, .string(reasoning))
            case .inline:
                if prefix == "minimax", request.splitsReasoning {
                    members = members.with(
                        "reasoning_details", [["type": "reasoning.text", "text": .string(reasoning)]])
                } else if isText {
                    members = members.with("content", .string("<think>\(reasoning)</think>\n\(answer.string)"))
                }
            case .chunk:
                let thought: MockJSON = [
                    "type": "thinking", "thinking": [["type": "text", "text": .string(reasoning)]],
                ]
                let text: MockJSON = ["type": "text", "text": .string(answer.string)]
                members = members.with("content", isText ? [thought, text] : [thought])
            }
        }
        if isText { return isAzure ? members.with("refusal", nil) : members }
        let calls = answer.calls.enumerated().map { index, call in wholeCall(index, call, isStream: false) }
        // Without its switch Spark answers one call as an object.
        let isObject = prefix == "spark" && request.body["tool_calls_switch"]?.flag != true
        return members.with("tool_calls", isObject ? calls[0] : .array(calls))
    }

    private var emptyContent: MockJSON { ["ollama", "spark", "mistral"].contains(prefix) ? "" : .null }

    func wholeCall(_ index: Int, _ call: ToolCall, isStream: Bool) -> MockJSON {
        var (hasIndex, hasType) = (isStream || ["ollama", "zhipu", "deepseek"].contains(prefix), true)
        if case .whole(let index, let type) = traits.calls, isStream { (hasIndex, hasType) = (index, type) }
        return [
            "index": hasIndex ? .int(index) : .absent, "id": prefix == "spark" ? .absent : .string(callID(index)),
            "type": hasType ? "function" : .absent,
            "function": [
                "name": .string(call.name), "arguments": .string(String(decoding: call.arguments, as: UTF8.self)),
            ],
        ]
    }

    // MARK: Members that all replies share

    func head(_ object: String) -> MockJSON {
        if prefix == "spark" {
            return [
                "code": 0, "message": "Success", "sid": .string("\(id)@dx"),
                "id": object.hasSuffix("chunk") ? .string("\(id)@dx") : .absent,
                "created": object.hasSuffix("chunk") ? .int(turn.identity.created) : .absent,
            ]
        }
        return [
            "id": .string(id), "object": prefix == "zhipu" ? .absent : .string(object),
            "created": .int(turn.identity.created),
            "model": .string(model), "request_id": prefix == "zhipu" ? .string(id) : .absent,
            "provider": prefix == "openrouter" ? "Mock" : .absent, "system_fingerprint": fingerprint,
        ]
    }

    private var fingerprint: MockJSON {
        switch prefix {
        case "qwen", "hunyuan": ""
        case "ollama": "fp_ollama"
        case "deepseek", "xai", "groq", "azure", "azure-v1": "fp_mock"
        default: .absent
        }
    }

    private var extras: MockJSON {
        switch prefix {
        case "ark": ["service_tier": "default"]
        case "hunyuan": ["note": "AI generated"]
        case "groq": ["x_groq": ["id": .string("req_\(turn.identity.hex)")], "service_tier": "on_demand"]
        case "perplexity": ["citations": ["https://example.com/a"], "search_results": []]
        case "llamacpp": ["timings": ["prompt_n": .int(answer.usage.prompt), "predicted_per_second": 50.5]]
        case "minimax": ["input_sensitive": false, "output_sensitive": false]
        default: [:]
        }
    }

    var fields: [(name: StaticString, value: String)] {
        switch prefix {
        case "azure", "azure-v1":
            [
                ("apim-request-id", turn.identity.hex), ("x-ms-region", "Mock"), ("x-ratelimit-limit-requests", "1000"),
                ("x-ratelimit-remaining-requests", "999"), ("x-ratelimit-reset-requests", "10"),
            ]
        case "openrouter": [("x-generation-id", id)]
        case "groq":
            [
                ("x-ratelimit-limit-requests", "14400"), ("x-ratelimit-reset-requests", "2m59.56s"),
                ("x-ratelimit-limit-tokens", "18000"),
            ]
        default: [("x-request-id", turn.identity.hex)]
        }
    }

    var usage: MockJSON {
        let usage = answer.usage
        let spoken = traits.excludesReasoning ? usage.completion - usage.reasoning : usage.completion
        var members: MockJSON = [
            "prompt_tokens": .int(usage.prompt), "completion_tokens": .int(spoken),
            "total_tokens": .int(usage.prompt + usage.completion),
        ]
        func add(_ more: MockJSON) { for member in more.members { members = members.with(member.name, member.value) } }
        let cached: MockJSON = ["cached_tokens": .int(usage.cached)]
        let reasoned: MockJSON = ["reasoning_tokens": .int(usage.reasoning)]
        switch prefix {
        case "deepseek":
            add([
                "prompt_tokens_details": cached, "prompt_cache_hit_tokens": .int(usage.cached),
                "prompt_cache_miss_tokens": .int(usage.prompt - usage.cached), "completion_tokens_details": reasoned,
            ])
        case "moonshot": add(["cached_tokens": .int(usage.cached)])
        case "groq":
            add(["queue_time": 0.17, "prompt_time": 0.0008, "completion_time": 0.03, "total_time": 0.0308])
        case "xai":
            add([
                "prompt_tokens_details": [
                    "text_tokens": .int(usage.prompt), "audio_tokens": 0, "image_tokens": 0,
                    "cached_tokens": .int(usage.cached),
                ],
                "completion_tokens_details": reasoned, "num_sources_used": 0, "cost_in_usd_ticks": 1_330_500,
            ])
        case "perplexity": add(["cost": ["total_cost": 0.005], "search_context_size": "low"])
        case "openrouter":
            add([
                "cost": 0.00014, "is_byok": false, "prompt_tokens_details": cached,
                "completion_tokens_details": reasoned,
            ])
        case "sglang": add(["prompt_tokens_details": .null, "reasoning_tokens": .int(usage.reasoning)])
        case "spark", "mistral", "ollama", "minimax", "hunyuan", "cohere", "together", "llamacpp": break
        default: add(["prompt_tokens_details": cached, "completion_tokens_details": reasoned])
        }
        return members
    }

    var finishReason: String {
        if !answer.calls.isEmpty { return "tool_calls" }
        switch answer.text.end {
        case .stop:
            return prefix == "baidu" ? "normal" : prefix == "together" ? "eos" : "stop"
        case .length: return prefix == "mistral" ? "model_length" : "length"
        case .contentFilter: return ["zhipu", "hunyuan"].contains(prefix) ? "sensitive" : "content_filter"
        }
    }
}
