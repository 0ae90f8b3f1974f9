internal import SluiceCore
internal import SluiceHTTP

/// A GenerateContentResponse: whole, as events, or as the pieces of a JSON array.
struct GeminiReply {
    private let answer: Answer
    private let request: GeminiRequest
    private let turn: DialectTurn

    init(_ answer: Answer, _ request: GeminiRequest, _ turn: DialectTurn) {
        self.answer = answer
        self.request = request
        self.turn = turn
    }

    /// A prompt that was blocked has no candidates, and is no error.
    static func blocked(_ request: GeminiRequest, _ turn: DialectTurn) -> Reply {
        let tokens = Tokens.estimate(byteCount: request.question.promptByteCount)
        return Reply([
            "promptFeedback": ["blockReason": "PROHIBITED_CONTENT"],
            "usageMetadata": ["promptTokenCount": .int(tokens), "totalTokenCount": .int(tokens)],
            "modelVersion": .string(request.model), "responseId": .string(String(turn.identity.hex.prefix(22))),
        ])
    }

    func whole() -> Reply {
        var parts = thoughts.map { Self.thought($0) }
        parts += answer.calls.isEmpty ? [textPart(answer.string, isLast: true)] : callParts
        let candidates = (0..<request.candidateCount).map { index in
            candidate(parts, finish: finishReason, index: index)
        }
        return Reply(response(candidates, spoken: answer.usage.completion - answer.usage.reasoning))
    }

    func stream() -> Reply {
        var script = Script(capacity: 4096)
        write(&script) { json, script in script.text("data: \(json.jsonText)\r\n\r\n") }
        let error = GeminiDialect.error(.internalError, model: request.model).json.jsonText
        // As the service does it: bare JSON, without the name of a field.
        return Reply(script, StreamForm(error: Array("\(error)\n".utf8)))
    }

    /// Without `alt=sse` the responses are elements of one array.
    func array() -> Reply {
        var script = Script(capacity: 4096)
        var isFirst = true
        write(&script) { json, script in
            script.text((isFirst ? "[" : ",\r\n") + json.jsonText)
            isFirst = false
        }
        script.done { $0.append("]\n") }
        let error = GeminiDialect.error(.internalError, model: request.model).json.jsonText
        return Reply(
            script,
            StreamForm(
                error: Array(",\r\n\(error)]\n".utf8), malformed: Array(",\r\n{\"broken\":".utf8),
                keepAlive: Array("\r\n".utf8)),
            type: "application/json; charset=UTF-8")
    }

    private func write(_ script: inout Script, _ send: (MockJSON, inout Script) -> Void) {
        var spoken = 0
        script.beginContent()
        for piece in thoughts {
            send(response([candidate([Self.thought(piece)], finish: nil, index: 0)], spoken: 0), &script)
        }
        if answer.calls.isEmpty {
            for piece in answer.pieces {
                spoken += 1
                let parts: [MockJSON] = [["text": .string(piece)]]
                send(response([candidate(parts, finish: nil, index: 0)], spoken: spoken), &script)
            }
        } else {
            spoken = answer.usage.completion - answer.usage.reasoning
            send(response([candidate(callParts, finish: nil, index: 0)], spoken: spoken), &script)
        }
        script.endContent()
        script.beginFinish()
        let last = textPart("", isLast: answer.calls.isEmpty)
        spoken = answer.usage.completion - answer.usage.reasoning
        send(response([candidate([last], finish: finishReason, index: 0)], spoken: spoken), &script)
        script.endFinish()
    }

    // MARK: Parts

    private var thoughts: [String] {
        request.includesThoughts || turn.behaviour.reasoning != nil ? answer.reasoningPieces : []
    }

    private static func thought(_ text: String) -> MockJSON { ["text": .string(text), "thought": true] }

    /// The last text part carries the signature of what was thought.
    private func textPart(_ text: String, isLast: Bool) -> MockJSON {
        let signature = request.signs && isLast && answer.reasoning != nil
        return [
            "text": .string(text), "thoughtSignature": signature ? .string(Seal.signature("text")) : .absent,
        ]
    }

    /// Only the first call has a signature; a call without arguments has none at all.
    private var callParts: [MockJSON] {
        answer.calls.enumerated().map { index, call in
            [
                "functionCall": [
                    "id": request.signs ? .string("\(turn.identity.hex.prefix(7))\(index)") : .absent,
                    "name": .string(call.name),
                    "args": call.arguments == Array("{}".utf8) ? .absent : .raw(call.arguments),
                ],
                "thoughtSignature": request.signs && index == 0 ? .string(Seal.signature(call.name)) : .absent,
            ]
        }
    }

    private func candidate(_ parts: [MockJSON], finish: String?, index: Int) -> MockJSON {
        [
            "content": ["parts": .array(parts), "role": "model"], "finishReason": .optional(finish),
            "index": .int(index),
            "finishMessage": finish != nil && !answer.calls.isEmpty ? "Model generated function call(s)." : .absent,
        ]
    }

    private func response(_ candidates: [MockJSON], spoken: Int) -> MockJSON {
        let usage = answer.usage
        let reasoning = usage.reasoning
        return [
            "candidates": .array(candidates),
            "usageMetadata": turn.behaviour.usage.isOmitted
                ? .absent
                : [
                    "promptTokenCount": .int(usage.prompt), "candidatesTokenCount": spoken > 0 ? .int(spoken) : .absent,
                    "totalTokenCount": .int(usage.prompt + spoken + reasoning),
                    "cachedContentTokenCount": usage.cached > 0 ? .int(usage.cached) : .absent,
                    "thoughtsTokenCount": reasoning > 0 ? .int(reasoning) : .absent,
                    "promptTokensDetails": [["modality": "TEXT", "tokenCount": .int(usage.prompt)]],
                ], "modelVersion": .string(request.model),
            "responseId": .string(String(turn.identity.hex.prefix(22))),
        ]
    }

    private var finishReason: String {
        if !answer.calls.isEmpty { return "STOP" }
        switch answer.text.end {
        case .stop: return "STOP"
        case .length: return "MAX_TOKENS"
        case .contentFilter: return "SAFETY"
        }
    }
}
