internal import SluiceCore
internal import SluiceHTTP

/// A native answer: whole inside `Response`, or as events that are not wrapped.
struct HunyuanReply {
    private let answer: Answer
    private let turn: DialectTurn

    init(_ answer: Answer, _ turn: DialectTurn) {
        self.answer = answer
        self.turn = turn
    }

    func whole() -> Reply {
        var message: MockJSON = [
            "Role": "assistant", "Content": .string(answer.calls.isEmpty ? answer.string : "Calling the tool."),
            "ReasoningContent": .optional(answer.reasoning),
        ]
        if !answer.calls.isEmpty {
            message = message.with(
                "ToolCalls", .array(answer.calls.enumerated().map { call($0, $1, arguments: $1.arguments) }))
        }
        let choice: MockJSON = ["Index": 0, "Message": message, "FinishReason": .string(finishReason)]
        let response = body([choice], spoken: answer.usage.completion).with("RequestId", .string(turn.identity.hex))
        return Reply(["Response": response])
    }

    func stream() -> Reply {
        var script = Script(capacity: 8192)
        var spoken = 0
        func send(_ delta: MockJSON, finish: String = "") {
            let delta = MockJSON.object([MockJSON.Member(name: "Role", value: "assistant")] + delta.members)
            let choice: MockJSON = ["Index": 0, "Delta": delta, "FinishReason": .string(finish)]
            script.data(body([choice], spoken: finish.isEmpty ? spoken : answer.usage.completion))
        }
        script.beginContent()
        for piece in answer.reasoningPieces {
            spoken += 1
            send(["Content": "", "ReasoningContent": .string(piece)])
        }
        for piece in answer.calls.isEmpty ? answer.pieces : [] {
            spoken += 1
            send(["Content": .string(piece)])
        }
        for (index, one) in answer.calls.enumerated() {
            for fragment in [[]] + ArgumentFragments.of(one.arguments) {
                send(["Content": "", "ToolCalls": [call(index, one, arguments: fragment)]])
            }
        }
        script.endContent()
        script.beginFinish()
        send(["Content": ""], finish: finishReason)
        script.endFinish()
        let error: MockJSON = [
            "Choices": [], "ErrorMsg": ["Msg": "engine error", "Code": 4000], "Created": .int(turn.identity.created),
            "Id": .string(turn.identity.hex),
        ]
        return Reply(
            script, StreamForm(data: error), type: "text/event-stream", fields: [("x-tc-requestid", turn.identity.hex)])
    }

    private func call(_ index: Int, _ call: ToolCall, arguments: [UInt8]) -> MockJSON {
        [
            "Id": .string(turn.identity.callID(index)), "Type": "function",
            "Function": ["Name": .string(call.name), "Arguments": .string(String(decoding: arguments, as: UTF8.self))],
            "Index": .int(index),
        ]
    }

    private func body(_ choices: MockJSON, spoken: Int) -> MockJSON {
        let prompt = answer.usage.prompt
        return [
            "Note": "AI generated", "Choices": choices, "Created": .int(turn.identity.created),
            "Id": .string(turn.identity.hex),
            "Usage": turn.behaviour.usage.isOmitted
                ? .absent
                : [
                    "PromptTokens": .int(prompt), "CompletionTokens": .int(spoken),
                    "TotalTokens": .int(prompt + spoken),
                ],
        ]
    }

    private var finishReason: String {
        if !answer.calls.isEmpty { return "tool_calls" }
        return answer.text.end == .contentFilter ? "sensitive" : answer.text.end == .length ? "length" : "stop"
    }
}
