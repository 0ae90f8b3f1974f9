internal import SluiceCore

/// The frames of an answer: status 0, 1 and 2, each a WebSocket text message.
struct SparkFrames {
    private let answer: Answer
    private let turn: DialectTurn

    init(_ answer: Answer, _ turn: DialectTurn) {
        self.answer = answer
        self.turn = turn
    }

    func script() -> Script {
        var script = Script(capacity: 4096)
        var items: [MockJSON] = answer.reasoningPieces.map { ["content": "", "reasoning_content": .string($0)] }
        if answer.calls.isEmpty { items += answer.pieces.map { ["content": .string($0)] } }
        script.beginContent()
        for (index, item) in items.enumerated() { send(item, index, status: index == 0 ? 0 : 1, &script) }
        script.endContent()
        script.beginFinish()
        var last: MockJSON = ["content": ""]
        if let call = answer.calls.first {
            let text = String(decoding: call.arguments, as: UTF8.self)
            last = last.with("function_call", ["name": .string(call.name), "arguments": .string(text)])
        }
        send(last, items.count, status: 2, &script)
        script.endFinish()
        script.done { $0.append(WebSocketFrame.bytes(.close, [0x03, 0xE8]).span) }
        return script
    }

    private func send(_ text: MockJSON, _ number: Int, status: Int, _ script: inout Script) {
        let text = text.with("role", "assistant").with("index", 0)
        var payload: MockJSON = ["choices": ["status": .int(status), "seq": .int(number), "text": [text]]]
        if status == 2, !turn.behaviour.usage.isOmitted {
            let usage = answer.usage
            payload = payload.with(
                "usage",
                [
                    "text": [
                        "question_tokens": .int(min(4, usage.prompt)), "prompt_tokens": .int(usage.prompt),
                        "completion_tokens": .int(usage.completion),
                        "total_tokens": .int(usage.prompt + usage.completion),
                    ]
                ])
        }
        let message: MockJSON = [
            "header": [
                "code": 0, "message": "Success", "sid": .string("cht\(turn.identity.hex.prefix(8))@dx"),
                "status": .int(status),
            ], "payload": payload,
        ]
        script.bytes(WebSocketFrame.bytes(.text, message.bytes))
    }
}
