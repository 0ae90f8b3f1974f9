internal import SluiceCore
internal import SluiceHTTP

/// A message, whole or as events.
struct AnthropicReply {
    private let answer: Answer
    private let request: AnthropicRequest
    private let turn: DialectTurn

    init(_ answer: Answer, _ request: AnthropicRequest, _ turn: DialectTurn) {
        self.answer = answer
        self.request = request
        self.turn = turn
    }

    /// What every response says in its head.
    static func fields(_ turn: DialectTurn) -> [(name: StaticString, value: String)] {
        [
            ("request-id", "req_\(turn.identity.hex)"), ("anthropic-organization-id", "org-mock"),
            ("anthropic-ratelimit-requests-limit", "4000"), ("anthropic-ratelimit-requests-remaining", "3999"),
            ("anthropic-ratelimit-requests-reset", "2026-11-20T12:40:59Z"),
            ("anthropic-ratelimit-tokens-limit", "400000"), ("anthropic-ratelimit-tokens-remaining", "399000"),
            ("anthropic-ratelimit-tokens-reset", "2026-11-20T12:40:59Z"),
        ]
    }

    func whole() -> Reply {
        var content: [MockJSON] = []
        if let reasoning = answer.reasoning {
            content.append([
                "type": "thinking", "thinking": .string(reasoning), "signature": .string(Seal.signature(reasoning)),
            ])
        }
        if answer.calls.isEmpty, !answer.text.bytes.isEmpty {
            content.append(["type": "text", "text": .string(answer.string)])
        }
        for (index, call) in answer.calls.enumerated() {
            content.append([
                "type": "tool_use", "id": .string(callID(index)), "name": .string(call.name),
                "input": .raw(call.arguments),
            ])
        }
        let message = message(content: .array(content), stop: stopReason, usage: usage(isStart: false))
        return Reply(message.with("stop_details", stopDetails), fields: Self.fields(turn))
    }

    func stream() -> Reply {
        var script = Script(capacity: 4096)
        event(
            "message_start",
            ["message": message(content: [], stop: nil, usage: usage(isStart: true))], &script)
        event("ping", [:], &script)
        script.beginContent()
        var index = 0
        if let reasoning = answer.reasoning {
            block(index, ["type": "thinking", "thinking": "", "signature": ""], &script) { script in
                for piece in answer.reasoningPieces {
                    delta(index, ["type": "thinking_delta", "thinking": .string(piece)], &script)
                }
                delta(
                    index, ["type": "signature_delta", "signature": .string(Seal.signature(reasoning))], &script)
            }
            index += 1
        }
        if answer.calls.isEmpty, !answer.text.bytes.isEmpty {
            block(index, ["type": "text", "text": ""], &script) { script in
                for piece in answer.pieces { delta(index, ["type": "text_delta", "text": .string(piece)], &script) }
            }
            index += 1
        }
        for (number, call) in answer.calls.enumerated() {
            let start: MockJSON = [
                "type": "tool_use", "id": .string(callID(number)), "name": .string(call.name), "input": [:],
            ]
            block(index, start, &script) { script in arguments(call, index, &script) }
            index += 1
        }
        script.endContent()
        script.beginFinish()
        event(
            "message_delta",
            [
                "delta": [
                    "stop_reason": .string(stopReason), "stop_sequence": stopSequence, "stop_details": stopDetails,
                ],
                "usage": turn.behaviour.usage.isOmitted ? .absent : ["output_tokens": .int(answer.usage.completion)],
            ], &script)
        script.endFinish()
        script.done { $0.append("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n") }
        let error = AnthropicDialect.error("overloaded_error", "Overloaded", turn).bytes
        return Reply(
            script,
            StreamForm(
                error: Array("event: error\ndata: ".utf8) + error + Array("\n\n".utf8),
                keepAlive: Array("event: ping\ndata: {\"type\":\"ping\"}\n\n".utf8)),
            type: "text/event-stream; charset=utf-8", fields: Self.fields(turn))
    }

    private func arguments(_ call: ToolCall, _ index: Int, _ script: inout Script) {
        // A call without arguments has no fragments at all.
        if call.arguments == Array("{}".utf8) { return }
        delta(index, ["type": "input_json_delta", "partial_json": ""], &script)
        for fragment in ArgumentFragments.of(call.arguments) {
            let text = String(decoding: fragment, as: UTF8.self)
            delta(index, ["type": "input_json_delta", "partial_json": .string(text)], &script)
        }
    }

    // MARK: Parts

    private func message(content: MockJSON, stop: String?, usage: MockJSON) -> MockJSON {
        [
            "id": .string("msg_01\(turn.identity.hex.prefix(22))"), "type": "message", "role": "assistant",
            "model": .string(request.model), "content": content, "stop_reason": stop.map { .string($0) } ?? .null,
            "stop_sequence": stop == nil ? .null : stopSequence, "usage": usage,
        ]
    }

    private func usage(isStart: Bool) -> MockJSON {
        if turn.behaviour.usage.isOmitted { return .absent }
        let usage = answer.usage
        return [
            "input_tokens": .int(usage.prompt - usage.cached), "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": .int(usage.cached),
            "cache_creation": ["ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0],
            "output_tokens": .int(isStart ? 1 : usage.completion),
            "output_tokens_details": !isStart && usage.reasoning > 0
                ? ["thinking_tokens": .int(usage.reasoning)] : .absent,
            "service_tier": "standard",
        ]
    }

    private func callID(_ index: Int) -> String { "toolu_01\(turn.identity.hex.prefix(20))\(index)" }

    private var stopReason: String {
        if !answer.calls.isEmpty { return "tool_use" }
        if answer.stop != nil { return "stop_sequence" }
        switch answer.text.end {
        case .stop: return "end_turn"
        case .length: return "max_tokens"
        case .contentFilter: return "refusal"
        }
    }

    private var stopSequence: MockJSON { answer.stop.map { .string($0) } ?? .null }

    private var stopDetails: MockJSON {
        stopReason == "refusal" ? ["type": "refusal", "category": "bio", "explanation": nil] : .null
    }

    private func event(_ name: String, _ members: MockJSON, _ script: inout Script) {
        let all: MockJSON = .object([MockJSON.Member(name: "type", value: .string(name))] + members.members)
        script.text("event: \(name)\ndata: \(all.jsonText)\n\n")
    }

    private func block(
        _ index: Int, _ start: MockJSON, _ script: inout Script, _ deltas: (inout Script) -> Void
    ) {
        event("content_block_start", ["index": .int(index), "content_block": start], &script)
        deltas(&script)
        event("content_block_stop", ["index": .int(index)], &script)
    }

    private func delta(_ index: Int, _ delta: MockJSON, _ script: inout Script) {
        event("content_block_delta", ["index": .int(index), "delta": delta], &script)
    }
}
