internal import SluiceCore
internal import SluiceHTTP

/// A legacy answer, whole or as events without an end mark.
struct WenxinReply {
    private let answer: Answer
    private let turn: DialectTurn

    init(_ answer: Answer, _ turn: DialectTurn) {
        self.answer = answer
        self.turn = turn
    }

    func whole() -> Reply {
        let text = answer.calls.isEmpty ? answer.string : ""
        return Reply(
            body(text, sentence: nil, isEnd: nil, total: answer.usage.completion, own: answer.usage.completion))
    }

    func stream() -> Reply {
        var script = Script(capacity: 4096)
        script.beginContent()
        let pieces = answer.calls.isEmpty ? answer.pieces : []
        for (index, piece) in pieces.enumerated() {
            script.data(body(piece, sentence: index, isEnd: false, total: index + 1, own: 1))
        }
        script.endContent()
        script.beginFinish()
        script.data(body("", sentence: pieces.count, isEnd: true, total: answer.usage.completion, own: 0))
        script.endFinish()
        // An error comes as bare JSON.
        let error = WenxinDialect.error(.internalError, turn).jsonText
        return Reply(script, StreamForm(error: Array("\(error)\n".utf8)), type: "text/event-stream; charset=utf-8")
    }

    private func body(_ text: String, sentence: Int?, isEnd: Bool?, total: Int, own: Int) -> MockJSON {
        let isLast = isEnd ?? true
        var json: MockJSON = [
            "id": .string("as-\(turn.identity.hex.prefix(10))"), "object": "chat.completion",
            "created": .int(turn.identity.created), "sentence_id": .optional(sentence),
            "is_end": isEnd.map { .bool($0) } ?? .absent,
            "is_truncated": .bool(isLast && answer.text.end == .length), "result": .string(text),
            "need_clear_history": .bool(isLast && answer.text.end == .contentFilter),
            "finish_reason": isLast ? .string(finishReason) : .absent,
        ]
        if isLast, let call = answer.calls.first {
            json = json.with(
                "function_call",
                [
                    "name": .string(call.name), "thoughts": "The tool is needed.",
                    "arguments": .string(String(decoding: call.arguments, as: UTF8.self)),
                ])
        }
        if turn.behaviour.usage.isOmitted { return json }
        let prompt = answer.usage.prompt
        return json.with(
            "usage",
            ["prompt_tokens": .int(prompt), "completion_tokens": .int(own), "total_tokens": .int(prompt + total)])
    }

    private var finishReason: String {
        if !answer.calls.isEmpty { return "function_call" }
        switch answer.text.end {
        case .stop: return "normal"
        case .length: return "length"
        case .contentFilter: return "content_filter"
        }
    }
}
