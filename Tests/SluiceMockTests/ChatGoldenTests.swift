import Testing

@testable import SluiceMock

@Suite struct `Chat completions and the goldens` {
    private static let dated = "gpt-5.4-mini-2026-03-17"

    @Test func `a whole answer is the golden one, byte for byte`() throws {
        let reply = try Making.reply(
            .chatCompletions, Golden.text("G1-chat-req.json"), "text=Paris,prompt-tokens=21,completion-tokens=2",
            hex: "G1",
            created: 1_764_000_000, model: Self.dated)
        // Our token count is 1: the golden's model counts the end of the text too.
        #expect(try Making.text(reply) == Golden.line("G1-chat-resp.json"))
    }

    @Test func `a stream with usage is the golden one, byte for byte`() throws {
        let reply = try Making.reply(
            .chatCompletions, Golden.text("G2-chat-req.json"), "text=Hi!,prompt-tokens=8,completion-tokens=3",
            hex: "G2",
            created: 1_764_000_001, model: Self.dated)
        #expect(try Making.text(reply) == Golden.text("G2-chat-stream.sse"))
    }

    @Test func `without include_usage no chunk has a usage member`() throws {
        let body = #"{"model":"m","stream":true,"messages":[{"role":"user","content":"Hi there"}]}"#
        let text = try Making.text(Making.reply(.chatCompletions, body))
        #expect(!text.contains("usage"))
        #expect(text.hasSuffix("data: [DONE]\n\n"))
    }

    @Test func `usage=none leaves usage out though it was asked for`() throws {
        let request = try Golden.text("G2-chat-req.json")
        #expect(try !Making.text(Making.reply(.chatCompletions, request, "usage=none")).contains("usage"))
        #expect(
            try !Making.text(Making.reply(.chatCompletions, Golden.text("G1-chat-req.json"), "usage=none")).contains(
                "usage"))
    }

    @Test func `a tool call has what the golden one has`() throws {
        let ours = try Making.json(
            .chatCompletions, Golden.text("G3-chat-req.json"),
            "arguments=\(BehaviourGrammar.encoded(#"{"city":"Oslo"}"#))")
        #expect(ours.covers(try Golden.json("G3-chat-resp.json")))
        let call = ours["choices"]?[0]?["message"]?["tool_calls"]?[0]
        #expect(call?["function"]?["arguments"]?.string == #"{"city":"Oslo"}"#)
        #expect(ours["choices"]?[0]?["finish_reason"]?.string == "tool_calls")
        #expect(ours["choices"]?[0]?["message"]?["content"]?.isNull == true)
    }

    @Test func `arguments are made from the schema when nothing else is said`() throws {
        let ours = try Making.json(.chatCompletions, Golden.text("G3-chat-req.json"))
        let arguments = ours["choices"]?[0]?["message"]?["tool_calls"]?[0]?["function"]?["arguments"]?.string
        #expect(arguments == #"{"city":"text"}"#)
    }

    @Test func `after a tool's result the answer is text with that result`() throws {
        let ours = try Making.json(.chatCompletions, Golden.text("G3-chat-req-2.json"))
        #expect(ours["choices"]?[0]?["message"]?["content"]?.string == #"{"temp_c":3}"#)
        #expect(ours["choices"]?[0]?["finish_reason"]?.string == "stop")
    }

    @Test func `streamed parallel calls come to the golden calls`() throws {
        let request = try Golden.text("G3-chat-req.json").dropFirst(1)
        let ours = try JSONThing.payloads(
            Making.text(
                Making.reply(
                    .chatCompletions, #"{"stream":true,"# + request,
                    "tool-calls=2,arguments=\(BehaviourGrammar.encoded(#"{"city":"Oslo"}"#))")))
        let golden = try JSONThing.payloads(Golden.text("G4-chat-stream.sse"))
        #expect(Self.shape(ours).prefix(5) == Self.shape(golden).prefix(5))
        let calls = Self.assembled(ours)
        #expect(calls.map(\.name) == Self.assembled(golden).map(\.name))
        #expect(calls.map(\.arguments) == [#"{"city":"Oslo"}"#, #"{"city":"Oslo"}"#])
        #expect(Set(calls.map(\.id)).count == 2)
        #expect(ours.last?["choices"]?[0]?["finish_reason"]?.string == "tool_calls")
    }

    /// Which members the delta of each chunk has.
    private static func shape(_ chunks: [JSONThing]) -> [Set<String>] {
        chunks.compactMap { chunk in
            guard let delta = chunk["choices"]?[0]?["delta"] else { return nil }
            guard let call = delta["tool_calls"]?[0] else { return delta.keys }
            return delta.keys.union(call.keys).union(call["function"]?.keys ?? [])
        }
    }

    private static func assembled(_ chunks: [JSONThing]) -> [(id: String, name: String, arguments: String)] {
        var calls: [Int: (id: String, name: String, arguments: String)] = [:]
        for chunk in chunks {
            guard let delta = chunk["choices"]?[0]?["delta"]?["tool_calls"]?[0], let index = delta["index"]?.int else {
                continue
            }
            var call = calls[index] ?? ("", "", "")
            call.id += delta["id"]?.string ?? ""
            call.name += delta["function"]?["name"]?.string ?? ""
            call.arguments += delta["function"]?["arguments"]?.string ?? ""
            calls[index] = call
        }
        return calls.sorted { $0.key < $1.key }.map(\.value)
    }

    @Test func `structured output with logprobs has the golden tokens`() throws {
        let ours = try Making.json(.chatCompletions, Golden.text("G5-chat-req.json"))
        let golden = try Golden.json("G5-chat-resp.json")
        #expect(ours.covers(golden))
        #expect(
            ours["choices"]?[0]?["message"]?["content"]?.string == golden["choices"]?[0]?["message"]?["content"]?.string
        )
        func bytes(_ thing: JSONThing) -> [[Int]]? {
            thing["choices"]?[0]?["logprobs"]?["content"]?.elements.map {
                $0["bytes"]?.elements.compactMap(\.int) ?? []
            }
        }
        #expect(bytes(ours) == bytes(golden))
    }

    @Test func `several choices take turns, and each has its own role and finish`() throws {
        let body = #"{"model":"m","stream":true,"n":2,"messages":[{"role":"user","content":"a b"}]}"#
        let chunks = try JSONThing.payloads(Making.text(Making.reply(.chatCompletions, body)))
        let choices = chunks.compactMap { $0["choices"]?[0] }
        #expect(choices.prefix(6).map { $0["index"]?.int } == [0, 1, 0, 1, 0, 1])
        func content(_ index: Int) -> String {
            choices.filter { $0["index"]?.int == index }.compactMap { $0["delta"]?["content"]?.string }.joined()
        }
        #expect(content(0) == "a b" && content(1) == "a b (choice 1)")
        #expect(choices.suffix(2).map { $0["finish_reason"]?.string } == ["stop", "stop"])
        let whole = try Making.json(.chatCompletions, body.replacing(#""stream":true,"#, with: ""))
        #expect(whole["choices"]?[1]?["message"]?["content"]?.string == "a b (choice 1)")
    }

    @Test func `an answer is as long as the request allows`() throws {
        let body =
            #"{"model":"m","max_tokens":9,"max_completion_tokens":2,"messages":[{"role":"user","content":"a b c"}]}"#
        let ours = try Making.json(.chatCompletions, body)
        #expect(ours["choices"]?[0]?["message"]?["content"]?.string == "a b")
        #expect(ours["choices"]?[0]?["finish_reason"]?.string == "length")
        #expect(ours["usage"]?["completion_tokens"]?.int == 2)
    }

    @Test func `content in parts is echoed with its text`() throws {
        let body = #"""
            {"model":"m","messages":[{"role":"user","content":"old"},{"role":"assistant","content":"x"},{"role":"user","content":
            [{"type":"text","text":"a\u00e9"},{"type":"image_url","image_url":{"url":"https://x.invalid/"}},{"type":"text","text":"\nb"}]}]}
            """#
        #expect(try Making.json(.chatCompletions, body)["choices"]?[0]?["message"]?["content"]?.string == "aé\nb")
    }
}
