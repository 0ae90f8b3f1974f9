import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluiceNet
import SluicePolicy
import SluiceProviders
import TestSupport
import Testing

@testable import SluicePipeline

@Suite struct `Spans of an exchange` {
    private static let traceDigits = "4bf92f3577b34da6a3ce929d0e0e4736"

    private static var settings: TraceSettings {
        var settings = TraceSettings()
        settings.isExporting = true
        return settings
    }

    private let loop: EventLoop
    init() throws { loop = try EventLoop() }

    private func exchange(_ settings: TraceSettings = Self.settings, flags: String = "01") throws -> RequestContext {
        let providers = ["one", "two"].map { FakeExchange.provider($0) }
        let snapshot = FakeExchange.snapshot(providers, tracing: settings)
        _ = snapshot.lasting.spans.open(SpanQueue.Limits()) {}
        let context = FakeExchange(loop, snapshot: snapshot).context
        var fields = HeaderFields()
        fields.append(.traceparent, "00-\(Self.traceDigits)-00f067aa0ba902b7-\(flags)")
        var random = SplitMix64(3)
        context.trace = settings.begin(fields, using: &random)
        context.model = "gpt"
        context.status = 200
        return context
    }

    private func begin(_ provider: String, _ context: RequestContext) {
        context.attempt = Attempt()
        context.attempt.spanID = context.trace?.beginAttempt()
        context.attempt.provider = context.snapshot.providers[provider]
        context.attempt.upstreamModel = "m"
        context.attempt.startedAt = loop.now
        context.attempt.sentUpstreamAt = loop.now
        context.attempts += 1
    }

    private func spans(_ context: RequestContext) throws -> [WireMessage] {
        if context.isTraced { Tracer().note(context, at: EventLoop.readClock(), tape: JSONTape()) }
        return try context.snapshot.lasting.spans.take().flatMap { batch in
            let spans = try WireMessage(batch.bytes).messages(2)
            #expect(spans.count == batch.spanCount)
            return spans
        }
    }

    @Test func `one for the exchange, and one beneath it for each attempt`() throws {
        let context = try exchange()
        begin("one", context)
        context.attempt.upstreamStatus = 503
        context.tried.append(TriedAttempt(context.attempt, .overloaded, at: loop.now))
        begin("two", context)
        context.attempt.upstreamStatus = 200
        context.attempt.usage = Usage(inputTokens: 3, outputTokens: 4, cachedInputTokens: 2, reasoningTokens: 1)
        let spans = try spans(context)
        try #require(spans.count == 3)
        let trace = try #require(context.trace)
        #expect(spans.allSatisfy { $0.bytes(1)?.count == 16 && $0.bytes(1)?.first == 0x4B })
        #expect(Set(spans.compactMap { $0.bytes(2) }).count == 3)
        let own = trace.spanID.bytes
        #expect(spans[0].bytes(2) == own.indices.map { own[$0] })
        #expect(spans[0].bytes(4) == [0, 0xF0, 0x67, 0xAA, 0x0B, 0xA9, 0x02, 0xB7])
        #expect(spans[1].bytes(4) == spans[0].bytes(2) && spans[2].bytes(4) == spans[0].bytes(2))
        #expect(spans.map { $0.text(5) } == ["chat gpt", "chat m", "chat m"])
        #expect(spans.map { $0.number(6) } == [2, 3, 3])
        // The parent of the first is known to be elsewhere.
        #expect(spans.map { $0.number(16) } == [0x301, 0x101, 0x101])
        #expect(try spans.map { try $0.messages(15).first?.number(3) } == [nil, 2, nil])
        let answered = try spans[2].attributes(9)
        #expect(answered["gen_ai.usage.input_tokens"] == "3")
        #expect(answered["gen_ai.usage.cache_read.input_tokens"] == "2")
        #expect(answered["gen_ai.usage.reasoning.output_tokens"] == "1")
        #expect(answered["server.address"] == "two" && answered["server.port"] == "80")
        let failed = try spans[1].attributes(9)
        #expect(failed["error.type"] == "provider_overloaded" && failed["http.response.status_code"] == "503")
        let event = try #require(try spans[0].messages(11).first)
        #expect(event.text(2) == "sluice.fallback")
        #expect(try event.attributes(3)["sluice.to"] == "two/m")
    }

    @Test func `a retry, a breaker and a rescue are events in their order`() throws {
        let context = try exchange()
        begin("one", context)
        context.note(.breakerOpened(provider: "one", model: "m"))
        context.tried.append(TriedAttempt(context.attempt, .truncated, at: loop.now))
        context.note(.rescue(way: .splice))
        begin("one", context)
        let span = try #require(try spans(context).first)
        let events = try span.messages(11)
        #expect(Set(events.compactMap { $0.text(2) }) == ["sluice.breaker.opened", "sluice.retry", "sluice.rescue"])
        let times = events.compactMap { $0.number(1) }
        #expect(times == times.sorted() && times.count == 3)
    }

    @Test func `what is not sampled is exported only where it failed by somebody else's doing`() throws {
        #expect(try spans(exchange(flags: "00")).isEmpty)
        let callers = try exchange(flags: "00")
        callers.outcome = .rejected
        callers.rejection = Rejection(.caller, 400, code: "invalid_json", "not JSON")
        #expect(try spans(callers).isEmpty)
        let ours = try exchange(flags: "00")
        ours.outcome = .rejected
        ours.rejection = Rejection(.gateway, 503, code: "overloaded", "too much to do")
        ours.status = 503
        let span = try #require(try spans(ours).first)
        #expect(span.number(16) == 0x300)
        #expect(try span.messages(15).first?.text(2) == "overloaded")
        var settings = Self.settings
        settings.keepsErrors = false
        let dropped = try exchange(settings, flags: "00")
        dropped.outcome = .rejected
        dropped.rejection = ours.rejection
        #expect(!dropped.isTraced)
    }

    @Test func `an attempt that never left has no span, and estimates are no usage`() throws {
        let context = try exchange()
        begin("one", context)
        context.attempt.sentUpstreamAt = nil
        #expect(try spans(context).count == 1)
        begin("two", context)
        context.attempt.usage = .estimate(requestByteCount: 40, textByteCount: 40)
        let spans = try spans(context)
        #expect(spans.count == 2)
        let about = try spans[1].attributes(9)
        #expect(about["gen_ai.usage.input_tokens"] == nil)
        #expect(about["sluice.usage.estimated.input_tokens"] != nil)
    }

    @Test func `events that are many are bounded`() throws {
        let context = try exchange()
        for _ in 0..<1000 { context.note(.rescue(way: .prefill)) }
        #expect(context.traceEvents.count == TraceEvent.countMax)
    }

    @Test func `a provider is told of the attempt, unless it is to be told nothing`() throws {
        let context = try exchange()
        begin("one", context)
        var fields = HeaderFields()
        context.appendTrace(to: &fields)
        let span = try #require(context.attempt.spanID)
        #expect(fields.text(.traceparent) == "00-\(Self.traceDigits)-\(span.text)-01")
        var settings = Self.settings
        settings.propagates = false
        settings.tellsApplications = false
        let silent = try exchange(settings)
        begin("one", silent)
        var none = HeaderFields()
        silent.appendTrace(to: &none)
        silent.appendTraceOfReply(to: &none)
        #expect(none.isEmpty)
    }
}
