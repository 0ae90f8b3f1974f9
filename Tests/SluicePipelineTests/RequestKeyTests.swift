import SluiceCore
import SluiceDownstream
import SluiceHTTP
import SluiceJSON
import SluiceNet
import SluicePolicy
import SluiceProviders
import SluiceStorage
import TestSupport
import Testing

@testable import SluicePipeline

/// Theme 3.13: what must, and what must not, be the same request.
@Suite struct `The name of a request` {
    private let loop: EventLoop
    private let keys = RequestKeys()
    private static let chat = #"{"model":"m","temperature":0,"messages":[{"role":"user","content":"Hi"}]}"#

    init() throws { loop = try EventLoop() }

    private struct Asked {
        var body = chat
        var form = AnswerForm.chat
        var scope = CacheScope.key
        var fields: [(String, String)] = [("authorization", "Bearer a")]
        var target = "/v1/chat/completions"
        var user: String?
        var revision = "1"
        var rule: String?
    }

    private func key(_ change: (inout Asked) -> Void = { _ in }) throws -> CacheKey? {
        var asked = Asked()
        change(&asked)
        var head = RequestHead(version: .http11, method: .post, target: Array(asked.target.utf8))
        for (name, value) in asked.fields { head.fields.append(name: name.utf8Span.span, value: value.utf8Span.span) }
        let peer = Peer(address: .ipv4(1, port: 1), listener: .ipv4(1, port: 2), trust: .machine, isTLS: false)
        let exchange = DownstreamExchange(
            head: head, bodyLength: .none, peer: peer, loop: loop, stream: nil, carrier: FakeDownstream())
        let context = RequestContext(exchange, snapshot: FakeExchange.snapshot([]), requestID: "r", place: 0)
        context.caller.user = asked.user
        context.caller.team = asked.fields.first { $0.0 == "x-sluice-team" }?.1
        context.plan.rule = asked.rule
        let settings = CacheSettings(
            policy: CachePolicy(), codec: EntryCodec(secret: nil), usesRedis: false, revisions: ["p": asked.revision])
        let tape = JSONTape()
        let body = asked.body.utf8Span
        try tape.scan(body.span)
        return keys.key(of: tape.root(over: body.span), asked.form, context, asked.scope, settings)
    }

    @Test(arguments: [
        #"{"messages":[{"content":"Hi","role":"user"}],"temperature":0.0,"model":"m"}"#,
        #" { "model":"\u006d", "temperature":0e5, "messages":[ {"role":"user","content":"H\u0069"} ] } "#,
        #"{"stream":true,"stream_options":{"include_usage":true},"user":"u","metadata":{"a":"b"},"store":true,"safety_identifier":"s","prompt_cache_key":"k","model":"m","temperature":0,"messages":[{"role":"user","content":"Hi"}]}"#,
    ])
    func `does not depend on how it is written`(body: String) throws {
        #expect(try key { $0.body = body } == key())
    }

    @Test(arguments: [
        (#""temperature":0"#, #""temperature":1"#), (#""temperature":0,"#, ""),
        (#""temperature":0"#, #""temperature":null"#), ("Hi", "hi"), ("Hi", "Hi "), (#""user""#, #""system""#),
        (#""model":"m""#, #""model":"n""#),
        (#""temperature":0"#, #""temperature":0,"n":1"#), (#""temperature":0"#, #""temperature":0,"max_tokens":5"#),
        (#""temperature":0"#, #""temperature":0,"tools":[]"#), (#""temperature":0"#, #""temperature":0,"seed":1"#),
        (#""temperature":0"#, #""temperature":0,"response_format":{"type":"json_object"}"#),
        (#""temperature":0"#, #""temperature":0,"top_p":1"#), (#""temperature":0"#, #""temperature":0,"stop":"x""#),
        (#""temperature":0"#, #""temperature":0,"something_new":false"#),
        (#""temperature":0"#, #""temperature":0,"service_tier":"flex""#),
        (#""Hi""#, #"[{"type":"text","text":"Hi"}]"#), (#""content":"Hi""#, #""content":"Hi","user":"x""#),
        (#"{"role""#, #"{"role":"user","content":""},{"role""#),
    ])
    func `depends on everything that is asked`(old: String, new: String) throws {
        let body = Self.chat.replacing(old, with: new, maxReplacements: 1)
        #expect(body != Self.chat)
        #expect(try key { $0.body = body } != key(), "\(body)")
    }

    @Test func `depends on who asks, as far as answers are not shared`() throws {
        let other: (inout Asked) -> Void = { $0.fields = [("authorization", "Bearer b")] }
        let team: (inout Asked) -> Void = { $0.fields = [("authorization", "Bearer a"), ("x-sluice-team", "t")] }
        #expect(try key(other) != key() && key(team) != key())
        #expect(try key { $0.fields = [("x-api-key", "Bearer a")] } == key(), "the credential counts, not its field")
        #expect(try key { $0.fields = [] } != key())
        for scope in CacheScope.allCases {
            let one = try key { $0.scope = scope }
            #expect(
                try
                    (key {
                        other(&$0)
                        $0.scope = scope
                    } == one) == (scope == .global), "\(scope)")
            #expect(
                try
                    (key {
                        team(&$0)
                        $0.scope = scope
                    } == one) == (scope == .global), "\(scope)")
            #expect(
                try
                    (key {
                        $0.user = "u"
                        $0.scope = scope
                    } == one) == (scope != .user), "\(scope)")
        }
    }

    @Test func `is the same for all of a team, whatever credential they show, and for no others`() throws {
        func team(_ credential: String, _ team: String?) throws -> CacheKey? {
            try key {
                $0.scope = .team
                $0.fields = [("authorization", credential)] + (team.map { [("x-sluice-team", $0)] } ?? [])
            }
        }
        #expect(try team("a", "t") == team("b", "t") && team("a", "t") != team("a", "u"))
        #expect(try team("a", nil) != team("b", nil), "who is in no team is not in one with all the others")
        #expect(try team("a", nil) == team("a", nil) && team("a", nil) != team("a", "t"))
    }

    /// No two lists of parts look the same when they stand side by side.
    @Test func `tells parts apart`() throws {
        let one = try key { $0.fields = [("authorization", "ab"), ("x-sluice-team", "c")] }
        #expect(try key { $0.fields = [("authorization", "a"), ("x-sluice-team", "bc")] } != one)
    }

    @Test func `depends on what else the provider is told`() throws {
        let fields = [
            ("anthropic-beta", "x"), ("anthropic-version", "2023-06-01"), ("openai-beta", "x"),
            ("openai-organization", "o"),
        ]
        var all = Set([try key()?.text])
        for field in fields { all.insert(try key { $0.fields.append(field) }?.text) }
        all.insert(try key { $0.target = "/v1/chat/completions?api-version=1" }?.text)
        all.insert(try key { $0.form = .message }?.text)
        all.insert(try key { $0.form = .platformChat }?.text)
        all.insert(try key { $0.rule = "night" }?.text)
        #expect(all.count == 9)
        for field in [("user-agent", "x"), ("accept", "x"), ("x-request-id", "x"), ("traceparent", "x")] {
            #expect(try key { $0.fields.append(field) } == key(), "\(field)")
        }
    }
}

/// What may be kept of answers.
@Suite struct `Answers to be kept` {
    @Test(arguments: [
        (
            AnswerForm.chat,
            #"{"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"x"}}]}"#, 2
        ),
        (
            .chat,
            #"{"choices":[{"index":0,"finish_reason":"length","logprobs":null,"message":{"role":"assistant","content":"x","refusal":null,"annotations":[],"reasoning_content":"y"}}]}"#,
            2
        ),
        (
            .chat,
            #"{"choices":[{"index":0,"finish_reason":"stop","logprobs":{"content":[1]},"message":{"content":"x"}}]}"#, 1
        ),
        (
            .chat,
            #"{"choices":[{"index":0,"finish_reason":"stop","message":{"content":"a"}},{"index":1,"finish_reason":"stop","message":{"content":"b"}}]}"#,
            1
        ),
        (.chat, #"{"choices":[{"index":0,"finish_reason":"stop","message":{"content":"x","annotations":[{}]}}]}"#, 1),
        (.chat, #"{"choices":[{"index":0,"finish_reason":"stop","message":{"content":"x","audio":{"id":"a"}}}]}"#, 1),
        (.chat, #"{"choices":[{"index":0,"finish_reason":"tool_calls","message":{"content":null}}]}"#, 0),
        (
            .chat,
            #"{"choices":[{"index":0,"finish_reason":"stop","message":{"content":"x","tool_calls":[{"id":"c"}]}}]}"#, 0
        ),
        (.chat, #"{"choices":[{"index":0,"finish_reason":"content_filter","message":{"content":"x"}}]}"#, 0),
        (.chat, #"{"choices":[{"index":0,"message":{"content":"x"}}]}"#, 0), (.chat, #"{"choices":[]}"#, 0),
        (.chat, "[]", 0),
        (
            .chat,
            #"{"error":{"message":"x"},"choices":[{"index":0,"finish_reason":"stop","message":{"content":"x"}}]}"#, 0
        ),
        (.message, #"{"type":"message","stop_reason":"end_turn","content":[{"type":"text","text":"x"}]}"#, 2),
        (.message, #"{"type":"message","stop_reason":"stop_sequence","content":[{"type":"text","text":"x"}]}"#, 1),
        (
            .message,
            #"{"type":"message","stop_reason":"end_turn","content":[{"type":"thinking","thinking":"x","signature":"s"},{"type":"text","text":"x"}]}"#,
            1
        ),
        (.message, #"{"type":"message","stop_reason":"tool_use","content":[{"type":"tool_use"}]}"#, 0),
        (.message, #"{"type":"message","stop_reason":"pause_turn","content":[]}"#, 0),
        (.message, #"{"type":"message","stop_reason":"refusal","content":[]}"#, 0),
        (
            .response,
            #"{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"x","annotations":[]}]}]}"#,
            2
        ),
        (
            .response,
            #"{"status":"completed","output":[{"type":"reasoning"},{"type":"message","content":[{"type":"output_text"}]}]}"#,
            1
        ),
        (.response, #"{"status":"completed","output":[{"type":"function_call"}]}"#, 0),
        (.response, #"{"status":"completed","output":[{"type":"local_shell_call"}]}"#, 0),
        (.response, #"{"status":"completed","output":[{"type":"apply_patch_call"},{"type":"message","content":[]}]}"#, 0),
        (.response, #"{"status":"completed","output":[{"type":"something_new"}]}"#, 0),
        (.response, #"{"status":"completed","output":[{"type":"web_search_call"},{"type":"message","content":[]}]}"#, 1),
        (.response, #"{"status":"incomplete","output":[{"type":"message","content":[{"type":"output_text"}]}]}"#, 0),
        (.completion, #"{"choices":[{"text":"x","index":0,"finish_reason":"stop","logprobs":null}]}"#, 2),
        (.completion, #"{"choices":[{"text":"x","index":0,"finish_reason":null}]}"#, 0),
        (.embeddings, #"{"data":[{"embedding":[1]}]}"#, 1), (.embeddings, #"{"data":[]}"#, 0),
    ])
    func `are whole ones`(form: AnswerForm, text: String, expected: Int) throws {
        let tape = JSONTape()
        let bytes = text.utf8Span
        try tape.scan(bytes.span)
        let verdict = AnswerCheck.verdict(tape.root(over: bytes.span), form)
        let found =
            switch verdict {
            case .refused: 0
            case .onlyWhole: 1
            case .plain: 2
            }
        #expect(found == expected, "\(text)")
    }

    /// However the stream's bytes are cut, what is kept of it is the same.
    @Test func `are put together from streams`() throws {
        let stream =
            #"data: {"id":"c","created":5,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"H\u00e9"},"finish_reason":null}]}"#
            + "\n\n"
            + #"data: {"id":"c","choices":[{"index":0,"delta":{"content":"llo"},"finish_reason":"stop"}]}"#
            + "\n\n: keep-alive\n\ndata: [DONE]\n\n"
        let bytes = Array(stream.utf8)
        for cut in 0...bytes.count {
            let collector = StreamCollector(.chat, byteCountMax: 1000, eventBytesMax: 1000, tape: JSONTape())
            for piece in [Array(bytes[..<cut]), Array(bytes[cut...])] { collector.received(piece.span) }
            let whole = collector.whole(
                Usage(inputTokens: 1, outputTokens: 2), ReplyIdentity(requestID: "r", created: 1, model: "x", seed: 1))
            #expect(
                whole?.text.contains(#""content":"H\u00e9llo""#) == true
                    && whole?.text.contains(#""total_tokens":3"#) == true, "cut at \(cut)")
        }
    }

    @Test(arguments: [
        #"data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}"#,  // no [DONE] is fine, see below
        #"data: {"choices":[{"index":1,"delta":{"content":"x"},"finish_reason":"stop"}]}"#,
        #"data: {"choices":[{"index":0,"delta":{"content":"x"},"logprobs":{"content":[1]},"finish_reason":"stop"}]}"#,
        #"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":""}}]},"finish_reason":"tool_calls"}]}"#,
        #"data: {"error":{"message":"x"}}"#, "data: nonsense",
        #"data: {"choices":[{"index":0,"delta":{"content":"x"}}]}"#,
    ])
    func `are not made of streams that say more, or less`(event: String) {
        let isPlain = event.contains(#""index":0,"delta":{"content":"x"},"finish_reason":"stop""#)
        let collector = StreamCollector(.chat, byteCountMax: 1000, eventBytesMax: 1000, tape: JSONTape())
        let bytes = Array((event + "\n\n").utf8)
        collector.received(bytes.span)
        let whole = collector.whole(nil, ReplyIdentity(requestID: "r", created: 1, model: "x", seed: 1))
        #expect((whole != nil) == isPlain)
        let small = StreamCollector(.chat, byteCountMax: 0, eventBytesMax: 1000, tape: JSONTape())
        small.received(bytes.span)
        #expect(small.whole(nil, ReplyIdentity(requestID: "r", created: 1, model: "x", seed: 1)) == nil)
    }
}

@Suite struct `What a body is known by` {
    private func mark(_ parts: [[UInt8]]) -> CacheKey? {
        var mark = ContentMark()
        for part in parts { mark.add(part.span) }
        return mark.finish()
    }

    /// Each bit, and each length, of bodies that are as much alike as can be.
    @Test func `is another for every other body`() {
        var seen: Set<CacheKey> = []
        var count = 0
        for length in 0...130 {
            var body = [UInt8](repeating: 0, count: length)
            if let mark = mark([body]) { seen.insert(mark) }
            count += 1
            for index in body.indices {
                for bit in 0..<8 {
                    body[index] = 1 << UInt8(bit)
                    if let mark = mark([body]) { seen.insert(mark) }
                    count += 1
                }
                body[index] = 0
            }
        }
        #expect(seen.count == count)
        #expect(mark([[1], [2]]) != mark([[1, 2]]) && mark([[1, 2], []]) != mark([[], [1, 2]]))
        #expect(mark([[1, 2, 3]]) == mark([[1, 2, 3]]))
    }
}
