internal import SluiceCore
internal import SluiceHTTP

/// A chat completion in one provider's spelling, as events.
struct CompatibleStream {
    private let reply: CompatibleReply
    private let isUsageSaid: Bool

    init(_ reply: CompatibleReply) {
        self.reply = reply
        isUsageSaid = !reply.turn.behaviour.usage.isOmitted
    }

    private var prefix: String { reply.prefix }
    private var answer: Answer { reply.answer }
    private var traits: CompatibleTraits { reply.traits }

    func stream() -> Reply {
        var script = Script(capacity: 8192)
        open(&script)
        script.beginContent()
        reason(&script)
        if answer.calls.isEmpty {
            for (index, piece) in answer.pieces.enumerated() {
                delta(["content": .string(piece)], &script, spoken: index + 1)
            }
        } else {
            calls(&script)
        }
        script.endContent()
        finish(&script)
        if traits.hasDone { script.done { $0.append(self.prefix == "spark" ? "data:[DONE]\n\n" : "data: [DONE]\n\n") } }
        return Reply(
            script, CompatibleErrors.inStream(reply), type: "text/event-stream; charset=utf-8", fields: reply.fields)
    }

    private func open(_ script: inout Script) {
        if let comment = traits.comment { script.text(": \(comment)\n\n") }
        if reply.isAzure {
            script.data([
                "choices": [], "created": 0, "id": "", "model": "", "object": "",
                "prompt_filter_results": CompatibleReply.promptFilters,
            ])
        }
        // Of these the first content has the role.
        if ["spark", "zhipu", "perplexity", "minimax"].contains(prefix) { return }
        delta(["role": "assistant", "content": firstContent], &script, isContent: false)
    }

    private var firstContent: MockJSON {
        if !answer.calls.isEmpty { return .null }
        return prefix == "deepseek" && answer.reasoning != nil ? .null : ""
    }

    private func reason(_ script: inout Script) {
        guard answer.reasoning != nil else { return }
        switch traits.reasoning {
        case .none: break
        case .member(let name):
            for piece in answer.reasoningPieces {
                delta([(name): .string(piece), "content": prefix == "deepseek" ? .null : .absent], &script)
            }
        case .inline:
            if reply.request.splitsReasoning {
                for piece in answer.reasoningPieces {
                    delta(
                        ["content": "", "reasoning_details": [["type": "reasoning.text", "text": .string(piece)]]],
                        &script)
                }
            } else {
                for piece in ["<think>"] + answer.reasoningPieces + ["</think>\n"] {
                    delta(["content": .string(piece)], &script)
                }
            }
        case .chunk:
            for piece in answer.reasoningPieces {
                delta(
                    ["content": [["type": "thinking", "thinking": [["type": "text", "text": .string(piece)]]]]], &script
                )
            }
        }
    }

    private func calls(_ script: inout Script) {
        for (index, call) in answer.calls.enumerated() {
            if case .whole = traits.calls {
                let one = reply.wholeCall(index, call, isStream: true)
                let isObject = prefix == "spark" && reply.request.body["tool_calls_switch"]?.flag != true
                delta(["content": prefix == "spark" ? "" : .null, "tool_calls": isObject ? one : [one]], &script)
                continue
            }
            let opening: MockJSON = [
                "index": .int(index), "id": .string(reply.callID(index)), "type": "function",
                "function": ["name": .string(call.name), "arguments": ""],
            ]
            delta(["tool_calls": [opening]], &script)
            for fragment in ArgumentFragments.of(call.arguments) {
                let part: MockJSON = [
                    // Qwen repeats the identifier as an empty text.
                    "index": .int(index), "id": prefix == "qwen" ? "" : .absent,
                    "function": ["arguments": .string(String(decoding: fragment, as: UTF8.self))],
                ]
                delta(["tool_calls": [part]], &script)
            }
        }
    }

    private func finish(_ script: inout Script) {
        script.beginFinish()
        if prefix == "minimax" {
            // The last frame has the whole text once more, and the only true usage.
            let message: MockJSON = ["role": "assistant", "content": .string(answer.string)]
            let choice: MockJSON = ["index": 0, "message": message, "finish_reason": .string(reply.finishReason)]
            let last = reply.head("chat.completion").with("choices", [choice]).with(
                "usage", isUsageSaid ? reply.usage : .absent)
            script.data(last.with("base_resp", ["status_code": 0, "status_msg": ""]))
        } else {
            var delta: MockJSON = [:]
            if ["qwen", "deepseek", "zhipu", "spark", "ollama", "perplexity"].contains(prefix) {
                delta = ["content": ""]
            }
            chunk(delta, finish: reply.finishReason, spoken: nil, &script)
        }
        script.endFinish()
        guard isUsageSaid else { return }
        var isApart = false
        if case .apart = traits.usage { isApart = reply.request.includesUsage }
        if case .apartAlways = traits.usage { isApart = true }
        if isApart { send(reply.head("chat.completion.chunk").with("choices", []).with("usage", reply.usage), &script) }
    }

    // MARK: Chunks

    private func delta(_ delta: MockJSON, _ script: inout Script, isContent: Bool = true, spoken: Int = 1) {
        var delta = delta
        if ["spark", "perplexity", "together", "minimax", "zhipu"].contains(prefix) {
            delta = .object(
                [MockJSON.Member(name: "role", value: "assistant")] + delta.members.filter { $0.name != "role" })
        }
        if prefix == "sglang" {
            for name in ["role", "content", "reasoning_content", "tool_calls"] where !delta.has(name) {
                delta = delta.with(name, nil)
            }
        }
        chunk(delta, finish: nil, spoken: spoken, &script)
    }

    private func chunk(_ delta: MockJSON, finish: String?, spoken: Int?, _ script: inout Script) {
        let isOpen = finish == nil
        var choice: MockJSON = ["index": 0, "delta": delta]
        // xAI, Zhipu, Spark and Perplexity leave the reason out until there is one.
        if !isOpen || !["xai", "zhipu", "spark", "perplexity"].contains(prefix) {
            choice = choice.with("finish_reason", prefix == "spark" ? .absent : finish.map { .string($0) } ?? .null)
        }
        if !["xai", "zhipu", "spark", "perplexity", "mistral"].contains(prefix) {
            choice = choice.with("logprobs", nil)
        }
        if reply.isAzure {
            choice = choice.with(
                "content_filter_results",
                isOpen && delta["content"]?.text?.isEmpty == false ? CompatibleReply.filters : [:])
        }
        if prefix == "openrouter" { choice = choice.with("native_finish_reason", finish.map { .string($0) } ?? .null) }
        if prefix == "sglang" { choice = choice.with("matched_stop", nil) }
        if prefix == "baidu" { choice = choice.with("flag", 0) }
        var usage = MockJSON.absent
        if isUsageSaid {
            switch traits.usage {
            case .finish: usage = isOpen ? (prefix == "minimax" ? ["total_tokens": 0] : .absent) : reply.usage
            case .finishAsked where reply.request.includesUsage: usage = isOpen ? .null : reply.usage
            case .choice where !isOpen: choice = choice.with("usage", reply.usage)
            case .everywhere: usage = reply.usage.with("completion_tokens", .int(spoken ?? answer.usage.completion))
            case .apart where reply.request.includesUsage && ["qwen"].contains(prefix): usage = .null
            default: break
            }
        }
        let isLast = prefix == "perplexity" && !isOpen
        var all = reply.head(isLast ? "chat.completion.done" : "chat.completion.chunk").with("choices", [choice])
        if usage != .absent { all = all.with("usage", usage) }
        if prefix == "perplexity" { all = all.with("citations", ["https://example.com/a"]) }
        if prefix == "mistral" { all = all.with("p", .string(String("abcdefgh".prefix(script.count % 8 + 1)))) }
        if prefix == "groq" { all = groq(all, isOpen: isOpen, isFirst: delta["role"] != nil, usage) }
        send(all, &script)
    }

    private func groq(_ chunk: MockJSON, isOpen: Bool, isFirst: Bool, _ usage: MockJSON) -> MockJSON {
        let id = MockJSON.string("req_\(reply.turn.identity.hex.prefix(20))")
        if isFirst { return chunk.with("x_groq", ["id": id, "seed": 8726]) }
        return isOpen ? chunk : chunk.with("x_groq", ["id": id, "usage": usage])
    }

    private func send(_ json: MockJSON, _ script: inout Script) {
        if prefix == "spark" { script.text("data:\(json.jsonText)\n\n") } else { script.data(json) }
    }
}
