internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON

/// `POST /v1/completions`, whole and streamed. Every prompt gets `n` choices: index = prompt × n + i.
enum CompletionReply {
    /// What the endpoint itself says when a request says nothing.
    private static let tokensByDefault = 16
    private static let promptsMax = 128
    private static let tokensOfAllChoicesMax = 200_000

    private struct Request {
        let isStream: Bool
        let includesUsage: Bool
        let hasLogprobs: Bool
        let choices: [ReplyText]
        let usage: TokenUsage
    }

    static func reply(_ root: JSONValue, _ identity: ReplyIdentity, _ behaviour: Behaviour) throws(APIError) -> Reply {
        let request = try read(root, behaviour)
        if request.isStream { return Reply(stream(request, identity), .chat) }
        return Reply { json in
            json.object { json in
                writeHead(identity, &json)
                json.key("choices")
                json.array { json in
                    for (index, choice) in request.choices.enumerated() {
                        write(choice, index, request.hasLogprobs, &json)
                    }
                }
                if behaviour.usage.isOmitted { return }
                json.key("usage")
                request.usage.writeChat(&json)
            }
        }
    }

    private static func read(_ root: JSONValue, _ behaviour: Behaviour) throws(APIError) -> Request {
        let prompts = try prompts(root)
        let isStream = try root.bool("stream") ?? false
        let options = root.given("stream_options")
        if options != nil, !isStream {
            throw APIError(
                400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param: "stream_options"
            )
        }
        let count = try root.int("n", in: 1...128) ?? 1
        let limit = try root.int("max_tokens", in: 0...Int.max) ?? tokensByDefault
        try root.check("temperature", in: 0...2)
        let stops = try root.stops()
        let bound = min(limit, tokensOfAllChoicesMax / (prompts.count * count))
        let isEchoed = try root.bool("echo") ?? false
        var choices: [ReplyText] = []
        for prompt in prompts {
            let text = ReplyText(echo: prompt, behaviour, limit: bound, stops: stops)
            let shown = isEchoed ? ReplyText(prefix: prompt, text) : text
            for _ in 0..<count { choices.append(shown) }
        }
        let usage = TokenUsage(
            prompt: prompts.reduce(0) { $0 + Tokens.estimate(byteCount: $1.count) },
            completion: choices.reduce(0) { $0 + $1.tokenCount }, behaviour.usage)
        let includesUsage = try options?.bool("include_usage") ?? false
        return Request(
            isStream: isStream, includesUsage: includesUsage && !behaviour.usage.isOmitted,
            hasLogprobs: try root.int("logprobs", in: 0...5) != nil, choices: choices, usage: usage)
    }

    private static func prompts(_ root: JSONValue) throws(APIError) -> [[UInt8]] {
        guard let prompt = root.given("prompt") else { return [Array("<|endoftext|>".utf8)] }
        if prompt.isString { return [ContentText.bytes(prompt)] }
        guard prompt.isArray else { throw .invalidType("prompt", expected: "a string or an array") }
        if prompt[0]?.int != nil { return [Array("tokens".utf8)] }
        var prompts: [[UInt8]] = []
        var elements = prompt.elements
        while let element = elements.next() {
            if prompts.count == promptsMax { throw .invalidValue("prompt", "at most \(promptsMax) prompts") }
            prompts.append(element.isString ? ContentText.bytes(element) : Array("tokens".utf8))
        }
        if prompts.isEmpty { throw .emptyArray("prompt") }
        return prompts
    }

    private static func writeHead(_ identity: ReplyIdentity, _ json: inout JSONWriter) {
        json.member("id", "cmpl-\(identity.hex)")
        json.member("object", "text_completion")
        json.member("created", identity.created)
        json.member("model", identity.model)
    }

    private static func write(_ choice: ReplyText, _ index: Int, _ hasLogprobs: Bool, _ json: inout JSONWriter) {
        json.object { json in
            json.member("text", choice.bytes.span)
            json.member("index", index)
            json.key("logprobs")
            if hasLogprobs { writeLogprobs(choice.bytes.span, &json) } else { json.null() }
            json.key("finish_reason")
            json.string(choice.end.finishReason)
        }
    }

    /// The shape that only this endpoint has.
    private static func writeLogprobs(_ text: Span<UInt8>, _ json: inout JSONWriter) {
        var ends: [Int] = []
        var at = 0
        while at < text.count {
            at = Tokens.end(in: text, from: at)
            ends.append(at)
        }
        json.beginObject()
        json.key("tokens")
        json.beginArray()
        for (index, end) in ends.enumerated() { json.string(text.extracting((index == 0 ? 0 : ends[index - 1])..<end)) }
        json.endArray()
        json.key("token_logprobs")
        json.array { json in for _ in ends { json.double(-0.01) } }
        json.nullMember("top_logprobs")
        json.key("text_offset")
        json.array { json in for index in ends.indices { json.int(index == 0 ? 0 : ends[index - 1]) } }
        json.endObject()
    }

    // MARK: Streamed

    private static func stream(_ request: Request, _ identity: ReplyIdentity) -> Script {
        var script = Script(capacity: 4096)
        script.beginContent()
        for (index, choice) in request.choices.enumerated() {
            var at = 0
            repeat {
                let end = Tokens.end(in: choice.bytes.span, from: at)
                let isLast = end == choice.bytes.count
                // The last token of a choice brings its finish reason along.
                if isLast, index == request.choices.count - 1 {
                    script.endContent()
                    script.beginFinish()
                }
                chunk(index, choice.bytes[at..<end], isLast ? choice.end.finishReason : nil, request, identity, &script)
                at = end
            } while at < choice.bytes.count
        }
        script.endFinish()
        if request.includesUsage {
            script.event { buffer in
                var json = JSONWriter(into: buffer)
                json.object { json in
                    writeHead(identity, &json)
                    json.key("choices")
                    json.array { _ in }
                    json.key("usage")
                    request.usage.writeChat(&json)
                }
            }
        }
        script.appendDone()
        return script
    }

    private static func chunk(
        _ index: Int, _ text: ArraySlice<UInt8>, _ finish: StaticString?, _ request: Request, _ identity: ReplyIdentity,
        _ script: inout Script
    ) {
        script.event { buffer in
            var json = JSONWriter(into: buffer)
            json.object { json in
                writeHead(identity, &json)
                json.key("choices")
                json.array { json in
                    json.object { json in
                        json.key("text")
                        json.string(text.span)
                        json.member("index", index)
                        json.nullMember("logprobs")
                        json.key("finish_reason")
                        if let finish { json.string(finish) } else { json.null() }
                    }
                }
                if request.includesUsage { json.nullMember("usage") }
            }
        }
    }
}
