import SluiceConfig
import SluiceCore
import SluiceDownstream
import SluiceHTTP
import SluiceJSON
import SluiceNet
import SluicePolicy
import SluiceProviders
import TestSupport
import Testing

@testable import SluicePipeline
@testable import SluiceUpstream

@Suite struct `Rescuing a stream` {
    private static let question = #"{"model":"m","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#

    private static func chunk(_ delta: String, _ id: String, finish: String = "null") -> String {
        #"data: {"id":"\#(id)","object":"chat.completion.chunk","created":1,"model":"\#(id)-m","choices":[{"index":0,"delta":{\#(delta)},"finish_reason":\#(finish)}]}"#
            + "\n\n"
    }

    /// A stream of chat completions that says these pieces, each the inside of a JSON string; cut before its end unless it is whole.
    private static func stream(_ pieces: [String], _ id: String, isWhole: Bool = true) -> String {
        chunk(#""role":"assistant","content":"""#, id) + pieces.map { chunk(#""content":"\#($0)""#, id) }.joined()
            + (isWhole ? chunk("", id, finish: #""stop""#) + "data: [DONE]\n\n" : "")
    }

    /// A stream that broke off, and what came after that.
    private final class Broken {
        let fake: FakeExchange
        let tape = JSONTape()
        var follows = false

        /// - Parameter ways: that are allowed.
        init(_ first: String, ways: RescuePolicy.Ways, continuation: Capabilities.Continuation = .message) throws {
            var streams = StreamSettings()
            streams.rescue.ways = ways
            streams.rescue.includesSingleTargets = true
            let provider = FakeExchange.provider("p")
            fake = FakeExchange(try EventLoop(), snapshot: Self.snapshot(provider, streams))
            var capabilities = Capabilities()
            capabilities.continuation = continuation
            let target = RouteTarget(
                provider: provider, upstreamModel: "m",
                state: fake.context.snapshot.lasting.targets.state(of: TargetID(provider: "p", model: "m")),
                capabilities: capabilities)
            fake.context.plan.targets = [target]
            fake.context.isStream = true
            fake.context.request = IncomingRequest(body: .json(ByteBuffer(question)))
            fake.context.begin(target)
            let relay = StreamRelay(
                fake.context, from: fake.upstreamExchange, head: ResponseHead(200),
                through: OpenAIStreamInspector(.chatCompletions, showsUsage: false), tape: tape)
            relay.received(Array(first.utf8).span)
            var failure = UpstreamError(.closedInBody, "the connection was closed")
            do throws(UpstreamError) { try relay.end() } catch { failure = error }
            relay.stop()
            follows = Rescue.follows(failure, fake.context, tape: tape)
        }

        private static func snapshot(_ provider: Provider, _ streams: StreamSettings) -> ConfigSnapshot {
            var timeouts = TimeoutsConfiguration()
            timeouts.keepaliveComment = .zero
            return ConfigSnapshot(
                revision: 1, providers: [provider], models: [:], defaultProvider: provider,
                limits: ConfigSnapshot.Limits(), timeouts: timeouts, streams: streams, logsExchanges: false)
        }

        /// The request of the attempt that follows.
        func request() throws -> String {
            let received = try #require(fake.context.request)
            if case .json(let body) = received.body { try tape.scan(body.span) }
            let sent = try fake.context.rescue?.request(received, fake.context, tape: tape)
            guard case .json(let body)? = sent?.body else { return "" }
            return String(decoding: body.span)
        }

        /// Reads the second stream in reads that end at `cuts`.
        ///
        /// - Returns: why it failed.
        func goOn(_ second: String, cuts: [Int] = []) throws -> UpstreamError? {
            _ = try request()
            let upstream = UpstreamExchange(
                loop: fake.context.exchange.loop, stream: nil, isOnReusedConnection: false, carrier: FakeUpstream())
            let relay = TranslatedStream(
                fake.context, from: upstream, Translation(OpenAIDialect()), tape: tape)
            let bytes = Array(second.utf8)
            var start = 0
            for end in cuts + [bytes.count] {
                relay.received(bytes.span.extracting(start..<end))
                start = end
            }
            var failure: UpstreamError?
            do throws(UpstreamError) { try relay.end() } catch { failure = error }
            relay.stop()
            return failure
        }

        /// What the application has been told: the text, and how often the stream began and ended.
        var told: (text: String, roles: Int, ends: Int, names: Set<String>) {
            let tape = tape
            var parser = EventParser()
            var result: (text: String, roles: Int, ends: Int, names: Set<String>) = ("", 0, 0, [])
            var offset = 0
            let bytes = fake.downstream.body
            while let event = try? parser.next(in: bytes.span, at: &offset) {
                let data = parser.data(of: event, in: bytes.span)
                guard event.kind == .message, (try? tape.scan(data)) != nil else { continue }
                let root = tape.root(over: data)
                result.names.insert(root["id"]?.string ?? "")
                let choice = root["choices"]?[0]
                result.text += choice?["delta"]?["content"]?.string ?? ""
                if choice?["delta"]?["role"] != nil { result.roles += 1 }
                if choice?["finish_reason"]?.isString == true { result.ends += 1 }
            }
            return result
        }
    }

    @Test(arguments: [false, true])
    func `what a stream says counts for more than that it is cut off, though both come at once`(isTranslated: Bool) throws {
        let loop = try EventLoop()
        let provider = FakeExchange.provider("p")
        let fake = FakeExchange(loop, snapshot: FakeExchange.snapshot([provider]))
        let state = fake.context.snapshot.lasting.targets.state(of: TargetID(provider: "p", model: "m"))
        fake.context.isStream = true
        fake.context.begin(RouteTarget(provider: provider, upstreamModel: "m", state: state))
        let upstream = fake.upstreamExchange
        let error = #"data: {"error":{"message":"busy","type":"server_error","code":"overloaded"}}"# + "\n\n"
        upstream.bodyReceived(Array((Self.stream([], "c-1", isWhole: false) + error).utf8).span)
        upstream.failed(UpstreamError(.closedInBody, "the connection was closed"))
        let tape = JSONTape()
        let relay: any RelayedStream =
            isTranslated
            ? TranslatedStream(fake.context, from: upstream, Translation(OpenAIDialect()), tape: tape)
            : StreamRelay(
                fake.context, from: upstream, head: ResponseHead(200),
                through: OpenAIStreamInspector(.chatCompletions, showsUsage: false), tape: tape)
        var end: UpstreamError?
        relay.start { end = $0 }
        loop.execute { loop.stop() }
        loop.run()
        relay.stop()
        #expect(end?.reason == .reported && fake.context.attempt.fault?.code == "overloaded", "\(end as Any)")
    }

    @Test func `an answer that comes once more is spliced, wherever reads end`() throws {
        let second = Self.stream(["He", "llo, \\u00e9", "😀 wor", "ld\\n!"], "c-2")
        for cut in 0...second.utf8.count {
            let broken = try Broken(Self.stream(["Hello", ", é\\ud83d\\ude00"], "c-1", isWhole: false), ways: .splice)
            #expect(broken.follows && broken.fake.context.rescue?.step == RescueStep(.splice, at: 0))
            #expect(try broken.request() == Self.question)
            let failure = try broken.goOn(second, cuts: [cut])
            #expect(failure == nil && broken.fake.downstream.end == .finished, "cut at \(cut)")
            let told = broken.told
            #expect(told.text == "Hello, é😀 world\n!" && told.roles == 1 && told.ends == 1, "cut at \(cut)")
            #expect(told.names == ["c-1"] && broken.fake.context.rescue?.result == .rescued)
        }
    }

    @Test(arguments: [["Hullo, world"], ["Hello; world"], ["Hell"], ["Hello,"], []])
    func `another answer is given up at the first byte that differs`(pieces: [String]) throws {
        let second = Self.stream(pieces, "c-2")
        for cut in 0...second.utf8.count {
            let broken = try Broken(Self.stream(["Hello", ", w"], "c-1", isWhole: false), ways: .splice)
            let before = broken.fake.downstream.text
            let failure = try broken.goOn(second, cuts: [cut])
            #expect(failure == Rescue.different, "cut at \(cut)")
            #expect(broken.fake.downstream.text == before && broken.fake.downstream.end == nil)
            #expect(!Rescue.follows(Rescue.different, broken.fake.context, tape: broken.tape))
            #expect(broken.fake.context.rescue?.result == .different)
            #expect(broken.fake.context.rescue?.cause?.code == "upstream_truncated")
        }
    }

    @Test(arguments: [
        // It goes on, or repeats everything first, or only seems to.
        (["The sea, the wind"], [" and the", " sky"], "The sea, the wind and the sky"),
        (["The sea, the wind"], ["The sea, ", "the wind", " and"], "The sea, the wind and"),
        (["The sea, the wind"], ["The sea", " again"], "The sea, the windThe sea again"),
        (["The sea, the wind"], ["The"], "The sea, the windThe"),
        // White space at the end, which it was not shown.
        (["The sea, the wind "], [" and"], "The sea, the wind and"), (["The sea, the wind "], ["and"], "The sea, the wind and"),
        (["The sea, the wind\\n\\n"], ["\\n", "\\nAnd"], "The sea, the wind\n\nAnd"),
        (["The sea, the wind "], ["The sea, the wind", " and"], "The sea, the wind and"),
        // Too short to tell.
        (["11"], ["11", "2"], "11112"), (["a"], [], "a"),
    ])
    func `a model that goes on is appended, wherever reads end`(first: [String], second: [String], whole: String) throws {
        let next = Self.stream(second, "c-2")
        for cut in stride(from: 0, through: next.utf8.count, by: 3) {
            let broken = try Broken(Self.stream(first, "c-1", isWhole: false), ways: [.prefill, .splice])
            #expect(broken.fake.context.rescue?.step == RescueStep(.prefill, at: 0))
            let failure = try broken.goOn(next, cuts: [cut])
            let told = broken.told
            #expect(failure == nil && told.text == whole && told.roles == 1 && told.ends == 1, "cut at \(cut): \(told)")
        }
    }

    @Test func `white space that a model says otherwise is another answer, and the next way is tried`() throws {
        let broken = try Broken(Self.stream(["The sea, the wind\\n"], "c-1", isWhole: false), ways: [.prefill, .splice])
        #expect(try broken.goOn(Self.stream([" and"], "c-2")) == Rescue.different)
        #expect(Rescue.follows(Rescue.different, broken.fake.context, tape: broken.tape))
        #expect(broken.fake.context.rescue?.step == RescueStep(.splice, at: 0))
        #expect(try broken.goOn(Self.stream(["The sea, the wind\\n and"], "c-3")) == nil)
        #expect(broken.told.text == "The sea, the wind\n and" && broken.told.names == ["c-1"])
    }

    @Test func `the model that goes on is shown what there is, without the white space at its end`() throws {
        let broken = try Broken(Self.stream(["\\\"A\\\" ", "é\\n"], "c-1", isWhole: false), ways: .prefill)
        let request = try broken.request()
        #expect(
            request
                == #"{"model":"m","stream":true,"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"\"A\" é"}]}"#
        )
    }

    @Test func `what went out is the sum of what came in`() throws {
        for seed in SplitMix64.seeds(150) {
            var random = SplitMix64(seed)
            let answer = (0..<Int.random(in: 2...30, using: &random)).map { _ in
                ["a", "b ", "\\n", "é", "word", "\\\""].randomElement(using: &random) ?? ""
            }
            let cut = Int.random(in: 1..<answer.count, using: &random)
            let broken = try Broken(Self.stream(Array(answer[..<cut]), "c-1", isWhole: false), ways: .splice)
            let second = Self.stream([answer.joined()], "c-2")
            let cuts = (0..<6).map { _ in Int.random(in: 0...second.utf8.count, using: &random) }.sorted()
            #expect(try broken.goOn(second, cuts: cuts) == nil, "seed \(seed)")
            let whole = answer.joined().replacing("\\n", with: "\n").replacing("\\\"", with: "\"")
            #expect(broken.told.text == whole, "seed \(seed)")
        }
    }

    @Test(arguments: [
        // Nothing of an answer yet.
        "", ": hello\n\n", chunk(#""role":"assistant","content":"""#, "c-1"),
        chunk(#""role":"assistant","content":"""#, "c-1") + "data: {\"choices\":[],\"usage\":null}\n\n",
        chunk(#""role":"assistant","content":"""#, "c-1") + "data: {\"error\":{\"message\":\"x\"}}\n\n",
        chunk(#""role":"assistant","content":"""#, "c-1") + "data: [DONE]\n\n",
    ])
    func `nothing goes out before the answer begins, and then there is nothing to rescue`(first: String) throws {
        let broken = try Broken(first, ways: [.prefill, .splice])
        #expect(!broken.follows && broken.fake.downstream.status == nil && broken.fake.downstream.body.isEmpty)
        #expect(broken.fake.context.request != nil, "another attempt needs it")
    }

    @Test(arguments: [
        chunk(#""tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":""}}]"#, "c-1"),
        chunk(#""content":"a""#, "c-1") + #"data: {"choices":[{"index":1,"delta":{"content":"b"}}]}"# + "\n\n",
    ])
    func `what cannot be compared is not rescued, and nothing is kept for it`(first: String) throws {
        let broken = try Broken(first, ways: [.prefill, .splice])
        #expect(!broken.follows && broken.fake.downstream.status == 200)
        #expect(broken.fake.context.rescue == nil && broken.fake.context.request == nil)
    }

    @Test func `reasoning is not continued, but may be repeated`() throws {
        let thought = Self.chunk(#""reasoning_content":"Hm.""#, "c-1")
        let broken = try Broken(thought + Self.chunk(#""content":"Yes""#, "c-1"), ways: [.prefill, .splice])
        #expect(broken.fake.context.rescue?.step == RescueStep(.splice, at: 0))
        let second = Self.chunk(#""reasoning_content":"H""#, "c-2") + Self.chunk(#""reasoning_content":"m.""#, "c-2")
        #expect(try broken.goOn(second + Self.stream(["Yes", "!"], "c-2")) == nil)
        #expect(broken.told.text == "Yes!")
    }

    @Test func `what a provider reports in the middle is not passed on where the stream can go on`() throws {
        let first = Self.stream(["Hello there"], "c-1", isWhole: false)
        let broken = try Broken(first + "data: {\"error\":{\"message\":\"overloaded\",\"code\":503}}\n\n", ways: .splice)
        #expect(broken.follows && !broken.fake.downstream.text.contains("overloaded"))
        let refused = try Broken(
            first + "data: {\"error\":{\"message\":\"no\",\"code\":\"content_filter\"}}\n\n", ways: .splice)
        #expect(!refused.follows, "the request's own doing")
    }
}
