import Foundation
import Testing

@Suite struct `Streams that are rescued` {
    typealias Dialect = Assembled.Dialect

    /// The answer that every model of the mock gives here, whole.
    private static let answer = "tokens=60"

    /// How an application and its provider speak with each other.
    struct Pair: CustomTestStringConvertible {
        let dialect: Dialect
        /// Of the mock: the path of its base URL, and the beginning of its models' names.
        let path: String
        let model: String
        let members: String

        var testDescription: String { "\(dialect) at \(path)" }

        static let all = [
            Pair(dialect: .chat, path: "/v1", model: "gpt-x", members: openAI),
            Pair(dialect: .chat, path: "/anthropic/v1", model: "claude-haiku-4-5", members: anthropic),
            Pair(dialect: .messages, path: "/anthropic/v1", model: "claude-haiku-4-5", members: anthropic),
            Pair(dialect: .messages, path: "/v1", model: "gpt-x", members: openAI),
            Pair(dialect: .envelope, path: "/v1", model: "gpt-x", members: openAI),
            Pair(dialect: .envelope, path: "/anthropic/v1", model: "claude-haiku-4-5", members: anthropic),
        ]
        static let responses = Pair(
            dialect: .responses, path: "/v1", model: "gpt-x", members: openAI + #", responses: "translated""#)

        private static let openAI = #"capabilities: [{continuation: "message"}]"#
        private static let anthropic = #"adapter: "anthropic""#
    }

    /// Runs `body` against a Sluice with two providers, both the mock, and a model whose answers come from `first` and, after it,
    /// `second`.
    private static func run(
        _ pair: Pair, first: String, second: String?, streams: String = "", timeouts: String = "",
        provider: String = "", _ body: (SluiceProcess, MockProcess) throws -> Void
    ) throws {
        let mock = try MockProcess()
        defer { mock.stop() }
        var configuration = Configuration()
        for name in ["one", "two"] {
            configuration.providers.append(
                #"\#(name): {base_url: "http://127.0.0.1:\#(mock.port)\#(pair.path)", api_key: "k", \#(pair.members), \#(provider)}"#)
        }
        var targets = [#"{provider: "one", upstream_model: "\#(pair.model)+\#(answer)+\#(first)"}"#]
        if let second {
            targets.append(#"{provider: "two", priority: 1, upstream_model: "\#(pair.model)-b+\#(answer)\#(second)"}"#)
        }
        configuration.models = "m: {targets: [\(targets.joined(separator: ", "))]}"
        configuration.others = ["streams: {\(streams)}"]
        configuration.timeouts = timeouts
        try withSluice(configuration) { try body($0, mock) }
    }

    /// The whole answer, as a model without faults gives it.
    private static func wholeAnswer(_ mock: MockProcess) throws -> String {
        let reply = try Wire(port: mock.port).exchange(
            "POST", "/v1/chat/completions", [],
            #"{"model":"plain+\#(answer)","messages":[{"role":"user","content":"Hello there"}]}"#)
        return try #require(reply.json["choices"][0]["message"]["content"].string)
    }

    /// How many requests the mock had for models whose name has `part` in it.
    private static func requests(_ mock: MockProcess, _ part: String) throws -> Int {
        let counts = try Wire(port: mock.port).exchange("GET", "/mock/counts").json
        let models = counts["models"].value as? [String: Any] ?? [:]
        return models.keys.filter { $0.contains(part) }.reduce(0) { $0 + (counts["models"][$1]["attempts"].int ?? 0) }
    }

    private static func expectWhole(_ result: Assembled, _ dialect: Dialect, _ mock: MockProcess) throws {
        #expect(try result.text == wholeAnswer(mock))
        #expect(result.error == nil && result.isClean && result.isDone, "\(result.events.suffix(3))")
        #expect(result.reasons.count == 1, "one end")
        if dialect != .envelope { #expect(result.beginnings == 1, "one beginning") }
        #expect(result.ids.count <= 1, "one name: \(result.ids)")
    }

    // MARK: After content

    @Test(arguments: Pair.all)
    func `a model that continues goes on where the first broke off`(pair: Pair) throws {
        try Self.run(pair, first: "cut=0.66", second: "+prefill=continue") { sluice, mock in
            let result = try Assembled.ask(sluice, pair.dialect, "m")
            try Self.expectWhole(result, pair.dialect, mock)
            let line = try sluice.exchangeLine("r-1")
            #expect(line["sluice.rescue.kind"].string == "prefill" && line["sluice.rescue.result"].string == "rescued")
            #expect(line["sluice.stream.end"].string == "complete" && line["event.outcome"].string == "complete")
            // The first target is asked first: it breaks off once more, and the second goes on from there.
            #expect(line["sluice.upstream.attempts"].int == 3 && line["sluice.rescue.attempts"].int == 2)
            #expect(result.usage["total_tokens"].int ?? result.usage["input_tokens"].int ?? 0 > 60, "\(result.usage)")
        }
    }

    @Test(arguments: Pair.all + [Pair.responses])
    func `an answer that comes once more is spliced`(pair: Pair) throws {
        try Self.run(pair, first: "cut=0.66+times=1", second: nil, streams: #"rescue: ["splice"]"#) { sluice, mock in
            let result = try Assembled.ask(sluice, pair.dialect, "m")
            try Self.expectWhole(result, pair.dialect, mock)
            let line = try sluice.exchangeLine("r-1")
            #expect(line["sluice.rescue.kind"].string == "splice" && line["sluice.rescue.result"].string == "rescued")
            #expect(try Self.requests(mock, "cut") == 2)
        }
    }

    @Test(arguments: Pair.all)
    func `where nobody continues, the answer is spliced`(pair: Pair) throws {
        try Self.run(pair, first: "cut=0.66+prefill=refuse", second: "+prefill=refuse") { sluice, mock in
            let result = try Assembled.ask(sluice, pair.dialect, "m")
            try Self.expectWhole(result, pair.dialect, mock)
            #expect(try Self.requests(mock, "cut") == 3)
            #expect(try Self.requests(mock, "-b") == 2)
            #expect(try sluice.exchangeLine("r-1")["sluice.rescue.kind"].string == "splice")
        }
    }

    @Test(arguments: Pair.all + [Pair.responses])
    func `another answer than the first is an honest error`(pair: Pair) throws {
        try Self.run(pair, first: "cut=0.66+vary=0.3", second: nil, streams: #"rescue: ["splice"]"#) { sluice, mock in
            let result = try Assembled.ask(sluice, pair.dialect, "m")
            #expect(result.error != nil && !result.isClean && !result.isDone && result.reasons.isEmpty)
            #expect(result.text.count > 50 && result.beginnings <= 1)
            let line = try sluice.exchangeLine("r-1")
            #expect(line["sluice.rescue.result"].string == "different" && line["sluice.stream.end"].string == "truncated")
            #expect(line["error.code"].string == "upstream_truncated")
            #expect(try Self.requests(mock, "cut") == 2)
        }
    }

    @Test(arguments: ["cut-clean=0.66", "error-event=0.66", "stall=0.5"])
    func `whatever breaks it off`(fault: String) throws {
        try Self.run(Pair.all[0], first: fault + "+times=1", second: "", timeouts: "stream_idle_ms: 1000") { sluice, mock in
            let result = try Assembled.ask(sluice, .chat, "m")
            try Self.expectWhole(result, .chat, mock)
        }
    }

    @Test func `signs of life are not an answer`() throws {
        try Self.run(
            Pair.all[0], first: "stall=0.5+comments-ms=50+times=1", second: "+prefill=ignore",
            streams: #"rescue: ["splice"]"#, timeouts: "stream_gap_ms: 700"
        ) { sluice, mock in
            let result = try Assembled.ask(sluice, .chat, "m")
            try Self.expectWhole(result, .chat, mock)
            #expect(result.comments > 2)
        }
    }

    @Test func `a model may have a gap of its own`() throws {
        let mock = try MockProcess()
        defer { mock.stop() }
        var configuration = Configuration()
        configuration.providers = [mock.provider("mock")]
        configuration.models =
            #"m: {provider: "mock", upstream_model: "x+tokens=60+stall=0.5+comments-ms=50", timeouts: {stream_gap_ms: 400}}"#
        try withSluice(configuration) { sluice in
            let result = try Assembled.ask(sluice, .chat, "m")
            #expect(result.error == "upstream_idle_timeout" && !result.isClean && !result.text.isEmpty)
        }
    }

    @Test func `what is not allowed is not tried`() throws {
        for streams in ["rescue: []", "rescue_attempts_max: 0", "rescue_bytes_max: 1024"] {
            let isLong = streams.contains("bytes")
            try Self.run(
                Pair.all[0], first: "cut=0.66\(isLong ? "+tokens=2000" : "")", second: "", streams: streams
            ) { sluice, mock in
                let result = try Assembled.ask(sluice, .chat, "m")
                #expect(result.error == "upstream_truncated" && !result.isClean)
                #expect(try Self.requests(mock, "-b") == 0)
            }
        }
        // A model with one target, unless it is said.
        try Self.run(Pair.all[0], first: "cut=0.66+times=1", second: nil) { sluice, mock in
            let result = try Assembled.ask(sluice, .chat, "m")
            #expect(result.error == "upstream_truncated")
            #expect(try Self.requests(mock, "cut") == 1)
        }
    }

    @Test func `a model that continues has what is left of the tokens`() throws {
        try Self.run(Pair.all[0], first: "error-event=0.66", second: "+prefill=continue") { sluice, mock in
            let wire = try sluice.connect()
            try wire.ask(
                "POST", "/v1/chat/completions", [],
                #"{"model":"m","stream":true,"max_completion_tokens":500,"messages":[{"role":"user","content":"Hello there"}]}"#)
            let result = try Assembled.read(ResponseStream(wire), .chat)
            try Self.expectWhole(result, .chat, mock)
            let requests = try Wire(port: mock.port).exchange("GET", "/mock/requests").json["requests"].array
            let limits = requests.compactMap { JSON($0["body"].string ?? "")["max_completion_tokens"].int }.sorted()
            let said = result.text.utf8.count
            #expect(limits.count == 2 && limits[1] == 500, "\(limits)")
            #expect(limits.first.map { 500 - said / 3 ..< 500 - said / 8 ~= $0 } == true, "\(limits) for \(said) bytes")
        }
    }

    @Test func `what is meant for one that continues is sent to nobody else`() throws {
        let mock = try MockProcess()
        defer { mock.stop() }
        var configuration = Configuration()
        for (name, continuation) in [("one", "none"), ("two", "message"), ("three", "none")] {
            configuration.providers.append(mock.provider(name, #"capabilities: [{continuation: "\#(continuation)"}]"#))
        }
        configuration.models = """
            m: {rescue: ["prefill"], targets: [
              {provider: "one", upstream_model: "first+tokens=60+error-event=0.66"},
              {provider: "two", upstream_model: "second", priority: 1},
              {provider: "three", upstream_model: "third", priority: 2}]},
            busy: {provider: "two", upstream_model: "busy+latency-ms=3000"}
            """
        configuration.others = ["concurrency: {providers: {two: {max_concurrency: 1, queue_ms: 100}}}"]
        try withSluice(configuration) { sluice in
            let wire = try sluice.connect()
            try wire.ask("POST", "/v1/chat/completions", [], #"{"model":"busy","messages":[{"role":"user","content":"x"}]}"#)
            try awaitTrue("the other request") { try Self.requests(mock, "busy") == 1 }
            let result = try Assembled.ask(sluice, .chat, "m")
            #expect(result.error != nil && !result.isClean && result.beginnings == 1)
            #expect(try Self.requests(mock, "third") == 0)
        }
    }

    @Test func `a stream that nobody went on with has its price in the log`() throws {
        try Self.run(Pair.all[0], first: "error-event=0.66", second: "+status=500") { sluice, _ in
            let result = try Assembled.ask(sluice, .chat, "m")
            #expect(result.error != nil)
            let line = try sluice.exchangeLine("r-1")
            #expect(line["sluice.rescue.result"].string == "failed")
            #expect(line["sluice.usage.source"].string == "estimated", "\(line)")
            #expect(line["gen_ai.usage.output_tokens"].int ?? 0 > 10)
        }
    }

    @Test func `a call that has begun is not rescued`() throws {
        try Self.run(Pair.all[0], first: "cut=0.66", second: "") { sluice, mock in
            let wire = try sluice.connect()
            try wire.ask(
                "POST", "/v1/chat/completions", [],
                #"{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}]}"#)
            let result = try Assembled.read(ResponseStream(wire), .chat)
            #expect(result.error == "upstream_truncated" && !result.isClean)
            #expect(try Self.requests(mock, "-b") == 0)
        }
    }

    // MARK: Before content

    @Test(arguments: Pair.all + [Pair.responses])
    func `what fails before the answer begins was never asked`(pair: Pair) throws {
        for fault in ["error-event", "cut=0", "cut-clean=0"] {
            try Self.run(pair, first: fault, second: "") { sluice, mock in
                let result = try Assembled.ask(sluice, pair.dialect, "m")
                try Self.expectWhole(result, pair.dialect, mock)
                #expect(try sluice.exchangeLine("r-1")["sluice.rescue.kind"].string == nil)
                #expect(try Self.requests(mock, "-b") == 1, "\(fault)")
            }
        }
    }

    @Test(arguments: Pair.all)
    func `an answer that does not begin in time is another's`(pair: Pair) throws {
        try Self.run(
            pair, first: "stall=0+comments-ms=50", second: "",
            timeouts: "first_token_ms: 500, keepalive_comment_ms: 200"
        ) { sluice, mock in
            let result = try Assembled.ask(sluice, pair.dialect, "m")
            try Self.expectWhole(result, pair.dialect, mock)
            #expect(result.comments >= 1, "the application was told to wait")
        }
    }

    @Test func `when all have failed before they began there is a status, or an event if the head is out`() throws {
        try Self.run(Pair.all[0], first: "cut=0", second: "+error-event") { sluice, _ in
            let reply = try sluice.chat(#"{"model":"m","messages":[{"role":"user","content":"x"}],"stream":true}"#)
            #expect(reply.status >= 500 && reply["content-type"] == "application/json", "\(reply.head)")
        }
        try Self.run(
            Pair.all[0], first: "stall=0", second: "+stall=0", timeouts: "first_token_ms: 500, keepalive_comment_ms: 200"
        ) { sluice, _ in
            let result = try Assembled.ask(sluice, .chat, "m")
            #expect(result.error == "upstream_timeout" && result.text.isEmpty && !result.isClean && result.events.count == 1)
        }
    }

    @Test func `what was held is never sent twice, and DONE alone is no answer`() throws {
        let role = #"{"id":"c-9","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#
        let upstream = try ScriptedUpstream { connection, request in
            try connection.startStream()
            try connection.event(role)
            if request.text.contains("first") {
                if request.text.contains("done") { try connection.event("[DONE]") }
                return try connection.endStream()
            }
            for event in [Sample.delta("a"), Sample.finish, Sample.done] { try connection.event(event) }
            try connection.endStream()
        }
        var configuration = Configuration(upstream)
        configuration.models =
            #"m: {targets: [{provider: "mock", upstream_model: "first"}, {provider: "mock", upstream_model: "second", priority: 1}]}, d: {targets: [{provider: "mock", upstream_model: "first-done"}, {provider: "mock", upstream_model: "second", priority: 1}]}"#
        try withSluice(configuration, upstream) { sluice in
            for model in ["m", "d"] {
                let events = try sluice.stream(#"{"model":"\#(model)","messages":[],"stream":true}"#).rest()
                #expect(events == [role, Sample.delta("a"), Sample.finish, Sample.done].map { "data: " + $0 })
            }
            #expect(upstream.requests.all.count == 4)
        }
    }

    // MARK: Applications that go

    @Test(arguments: [true, false])
    func `an answer whose application has gone is read to its end where that is wanted`(drains: Bool) throws {
        try Self.run(
            Pair.all[0], first: "event-ms=20", second: nil, provider: drains ? #"on_client_gone: "drain""# : ""
        ) { sluice, mock in
            let wire = try sluice.connect()
            try wire.ask("POST", "/v1/chat/completions", ["x-request-id: gone"], Sample.streamedChat)
            let stream = try ResponseStream(wire)
            _ = try stream.next()
            wire.close()
            let line = try sluice.exchangeLine("gone")
            #expect(line["event.outcome"].string == "client_gone" && line["sluice.stream.end"].string == "client_abort")
            #expect(line["sluice.usage.source"].string == (drains ? "drained" : "estimated"))
            let tokens = try #require(line["gen_ai.usage.output_tokens"].int)
            #expect(drains ? tokens >= 60 : tokens < 60)
        }
    }
}
