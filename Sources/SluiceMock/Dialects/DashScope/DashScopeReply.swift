internal import SluiceCore
internal import SluiceHTTP

/// A native answer: whole, or as frames that have the new text or all text so far.
struct DashScopeReply {
    private let answer: Answer
    private let request: DashScopeRequest
    private let turn: DialectTurn

    init(_ answer: Answer, _ request: DashScopeRequest, _ turn: DialectTurn) {
        self.answer = answer
        self.request = request
        self.turn = turn
    }

    func whole() -> Reply {
        Reply(
            body(answer.string, answer.reasoning, calls: calls, finish: finishReason, spoken: answer.usage.completion))
    }

    func stream() -> Reply {
        var script = Script(capacity: 8192)
        var (text, thoughts) = ("", "")
        var spoken = 0
        script.beginContent()
        for piece in answer.reasoningPieces {
            thoughts = request.isIncremental ? piece : thoughts + piece
            spoken += 1
            frame(body("", thoughts, calls: nil, finish: "null", spoken: spoken), &script)
        }
        if request.isIncremental { thoughts = "" }
        let held: String? = answer.reasoning == nil ? nil : thoughts
        if answer.calls.isEmpty {
            for piece in answer.pieces {
                text = request.isIncremental ? piece : text + piece
                spoken += 1
                frame(body(text, held, calls: nil, finish: "null", spoken: spoken), &script)
            }
        } else {
            frame(body("", held, calls: calls, finish: "null", spoken: spoken), &script)
        }
        script.endContent()
        script.beginFinish()
        let isWhole = !request.isIncremental
        frame(
            body(
                isWhole ? answer.string : "", held, calls: isWhole ? calls : nil, finish: finishReason,
                spoken: answer.usage.completion), &script)
        script.endFinish()
        let failure = DialectFailure.internalError
        let error = DashScopeDialect.error(DashScopeDialect.code(failure), failure, turn)
        let text500 = "id:\(script.count + 1)\nevent:error\n:HTTP_STATUS/500\ndata:\(error.jsonText)\n\n"
        return Reply(script, StreamForm(error: Array(text500.utf8)), type: "text/event-stream;charset=UTF-8")
    }

    private func frame(_ json: MockJSON, _ script: inout Script) {
        script.text("id:\(script.count + 1)\nevent:result\n:HTTP_STATUS/200\ndata:\(json.jsonText)\n\n")
    }

    private func body(
        _ text: String, _ reasoning: String?, calls: MockJSON?, finish: String, spoken: Int
    ) -> MockJSON {
        let usage = answer.usage
        var output: MockJSON = ["text": .string(text), "finish_reason": .string(finish)]
        if request.hasChoices {
            let content: MockJSON =
                answer.calls.isEmpty ? .string(text) : ""
            let message: MockJSON = [
                "role": "assistant", "content": request.isMultimodal ? [["text": content]] : content,
                "reasoning_content": .optional(reasoning), "tool_calls": calls ?? .absent,
            ]
            output = ["choices": [["finish_reason": .string(finish), "message": message]]]
        }
        return [
            "output": output,
            "usage": turn.behaviour.usage.isOmitted
                ? .absent
                : [
                    "input_tokens": .int(usage.prompt), "output_tokens": .int(spoken),
                    "total_tokens": .int(usage.prompt + spoken),
                    "output_tokens_details": usage.reasoning > 0
                        ? ["reasoning_tokens": .int(usage.reasoning)] : .absent,
                    "prompt_tokens_details": ["cached_tokens": .int(usage.cached)],
                ], "request_id": .string(turn.identity.hex),
        ]
    }

    private var calls: MockJSON? {
        if answer.calls.isEmpty { return nil }
        return .array(
            answer.calls.enumerated().map { index, call in
                [
                    "index": .int(index), "id": .string(turn.identity.callID(index)), "type": "function",
                    "function": [
                        "name": .string(call.name),
                        "arguments": .string(String(decoding: call.arguments, as: UTF8.self)),
                    ],
                ]
            })
    }

    private var finishReason: String {
        if !answer.calls.isEmpty { return "tool_calls" }
        return answer.text.end == .length ? "length" : "stop"
    }
}
