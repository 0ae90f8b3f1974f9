internal import SluiceCore
internal import SluiceHTTP

/// A Converse response, whole or as frames.
struct BedrockReply {
    private let answer: Answer
    private let turn: DialectTurn

    init(_ answer: Answer, _ turn: DialectTurn) {
        self.answer = answer
        self.turn = turn
    }

    static func fields(_ turn: DialectTurn) -> [(name: StaticString, value: String)] {
        [("x-amzn-requestid", turn.identity.hex)]
    }

    func whole() -> Reply {
        var content: [MockJSON] = []
        if let reasoning = answer.reasoning {
            content.append([
                "reasoningContent": [
                    "reasoningText": ["text": .string(reasoning), "signature": .string(Seal.signature(reasoning))]
                ]
            ])
        }
        if answer.calls.isEmpty { content.append(["text": .string(answer.string)]) }
        for (index, call) in answer.calls.enumerated() {
            content.append([
                "toolUse": [
                    "toolUseId": .string(callID(index)), "name": .string(call.name), "input": .raw(call.arguments),
                ]
            ])
        }
        return Reply(
            [
                "output": ["message": ["role": "assistant", "content": .array(content)]],
                "stopReason": .string(stopReason),
                "usage": usage, "metrics": ["latencyMs": 321],
            ], fields: Self.fields(turn))
    }

    func stream() -> Reply {
        var script = Script(capacity: 8192)
        frame("messageStart", ["role": "assistant"], &script)
        script.beginContent()
        var index = 0
        if let reasoning = answer.reasoning {
            for piece in answer.reasoningPieces {
                delta(index, ["reasoningContent": ["text": .string(piece)]], &script)
            }
            delta(index, ["reasoningContent": ["signature": .string(Seal.signature(reasoning))]], &script)
            stop(&index, &script)
        }
        if answer.calls.isEmpty {
            for piece in answer.pieces { delta(index, ["text": .string(piece)], &script) }
            stop(&index, &script)
        }
        for (number, call) in answer.calls.enumerated() {
            let start: MockJSON = [
                "toolUse": ["toolUseId": .string(callID(number)), "name": .string(call.name)]
            ]
            frame("contentBlockStart", ["contentBlockIndex": .int(index), "start": start], &script)
            // A call without arguments has no fragments at all.
            if call.arguments != Array("{}".utf8) {
                for fragment in [[]] + ArgumentFragments.of(call.arguments) {
                    let text = String(decoding: fragment, as: UTF8.self)
                    delta(index, ["toolUse": ["input": .string(text)]], &script)
                }
            }
            stop(&index, &script)
        }
        script.endContent()
        script.beginFinish()
        frame("messageStop", ["stopReason": .string(stopReason)], &script)
        script.endFinish()
        let last = EventStreamFrame.event(
            "metadata", ["metrics": ["latencyMs": 321], "p": "abcde", "usage": usage])
        script.done { $0.append(last.span) }
        let error = EventStreamFrame.exception(
            "throttlingException", "Too many requests, please wait before trying again.")
        var broken = EventStreamFrame.event("contentBlockDelta", ["broken": true])
        broken[broken.count - 6] ^= 1
        return Reply(
            script, StreamForm(error: error, malformed: broken, keepAlive: []),
            type: "application/vnd.amazon.eventstream",
            fields: Self.fields(turn))
    }

    /// With padding of the length that the sheet's frames have, so that readers meet it.
    private func frame(_ name: String, _ payload: MockJSON, _ script: inout Script) {
        script.bytes(
            EventStreamFrame.event(name, payload.with("p", .string(String("abcdefgh".prefix(script.count % 8 + 1))))))
    }

    private func delta(_ index: Int, _ delta: MockJSON, _ script: inout Script) {
        frame("contentBlockDelta", ["contentBlockIndex": .int(index), "delta": delta], &script)
    }

    private func stop(_ index: inout Int, _ script: inout Script) {
        frame("contentBlockStop", ["contentBlockIndex": .int(index)], &script)
        index += 1
    }

    private func callID(_ index: Int) -> String { "tooluse_\(turn.identity.hex.prefix(20))\(index)" }

    private var usage: MockJSON {
        if turn.behaviour.usage.isOmitted { return .absent }
        let usage = answer.usage
        return [
            "inputTokens": .int(usage.prompt - usage.cached), "outputTokens": .int(usage.completion),
            "totalTokens": .int(usage.prompt + usage.completion), "cacheReadInputTokens": .int(usage.cached),
            "cacheWriteInputTokens": 0,
        ]
    }

    private var stopReason: String {
        if !answer.calls.isEmpty { return "tool_use" }
        if answer.stop != nil { return "stop_sequence" }
        switch answer.text.end {
        case .stop: return "end_turn"
        case .length: return "max_tokens"
        case .contentFilter: return "content_filtered"
        }
    }
}
