import SluiceCore
internal import SluiceDownstream
import SluiceHTTP
import SluiceNet
import SluicePolicy
import SluiceProviders
import Testing

@testable import SluicePipeline

@Suite struct `What a worker counts of exchanges` {
    private let loop: EventLoop
    private let metrics = GatewayMetrics()
    private let worker: ExchangeMetrics
    private let snapshot = FakeExchange.snapshot([FakeExchange.provider("alpha", models: ["known"])])

    init() throws {
        loop = try EventLoop()
        worker = ExchangeMetrics(metrics, directory: ModelDirectory())
    }

    private func exchange(_ model: String, fields: HeaderFields = HeaderFields()) -> RequestContext {
        let context = FakeExchange(loop, snapshot: snapshot, fields: fields).context
        context.route = "/v1/chat/completions"
        context.model = model
        context.status = 200
        context.attempt.provider = snapshot.providers["alpha"]
        context.attempt.target = snapshot.lasting.targets.state(of: TargetID(provider: "alpha", model: "known"))
        context.attempt.upstreamModel = "known"
        return context
    }

    private func samples(_ name: String) -> [MetricCollection.Sample] {
        metrics.registry.collect().groups.first { $0.family.name == name }?.samples ?? []
    }

    private func note(_ context: RequestContext, after: Duration = .milliseconds(15)) {
        worker.note(context, at: context.exchange.startedAt + after)
    }

    @Test func `finds the same series again, however often the same happens`() {
        for _ in 0..<100 { note(exchange("known")) }
        for _ in 0..<3 { note(exchange("known"), after: .seconds(700)) }
        #expect(samples("sluice_requests").map(\.value) == [.number(103)])
        let durations = samples("gen_ai_server_request_duration_seconds")
        #expect(durations.map(\.values) == [["chat", "alpha", "known", "known", "", ""]])
        guard case .histogram(let counts, let sum) = durations[0].value else { return #expect(Bool(false)) }
        #expect(counts[1] == 100 && counts.last == 3 && counts.reduce(0, +) == 103)
        #expect(abs(sum - (100 * 0.015 + 3 * 700)) < 1e-6)
    }

    @Test func `calls models that nobody has configured other, those that providers make up too`() {
        for index in 0..<50 {
            let context = exchange("made-up-\(index)")
            context.attempt.answeredBy = "also-\(index)"
            note(context)
        }
        let values = samples("gen_ai_server_request_duration_seconds").map(\.values)
        #expect(values == [["chat", "alpha", "other", "known", "other", ""]])
        #expect(samples("gen_ai_server_request_duration_seconds")[0].value != .number(0))
    }

    @Test func `counts tokens that the provider has counted apart from those that it has not`() {
        let counted = exchange("known")
        counted.attempt.usage = Usage(inputTokens: 100, outputTokens: 10, cachedInputTokens: 30)
        note(counted)
        let estimated = exchange("known")
        estimated.attempt.usage = .estimate(requestByteCount: 40, textByteCount: 8)
        note(estimated)
        let absurd = exchange("known")
        absurd.attempt.usage = Usage(inputTokens: .max, outputTokens: -5)
        note(absurd)
        var sums: [String: Double] = [:]
        for sample in samples("gen_ai_client_token_usage") {
            guard case .histogram(let counts, let sum) = sample.value, counts.reduce(0, +) > 0 else { continue }
            sums[sample.values[5]] = sum
        }
        // What no provider could mean is bounded, so that the sum stays one.
        #expect(sums == ["input": 100 + 1e9, "output": 10, "cached_input": 30])
        #expect(samples("sluice_estimated_tokens").map(\.value) == [.number(10), .number(2)])
        let sources = samples("sluice_usage_source").filter { $0.value != .number(0) }
        #expect(Set(sources.map(\.values)) == [["provider"], ["estimated"]])
    }

    @Test func `knows a request by its trace, if it is in one`() {
        let trace = "0af7651916cd43dd8448eb211c80319c"
        for (parent, identity) in [
            ("00-\(trace)-b7ad6b7169203331-01", MetricExemplar.Identity.trace(trace)),
            ("00-\(String(repeating: "0", count: 32))-b7ad6b7169203331-01", .request("req-1")),
            ("00-\(trace.uppercased())-b7ad6b7169203331-01", .request("req-1")), ("00-12", .request("req-1")),
            ("", .request("req-1")),
        ] {
            let (metrics, loop) = (GatewayMetrics(), loop)
            let worker = ExchangeMetrics(metrics, directory: ModelDirectory())
            var fields = HeaderFields()
            if !parent.isEmpty { fields.append(.traceparent, parent) }
            let context = exchange("known", fields: fields)
            worker.note(context, at: loop.now)
            let group = metrics.registry.collect().groups.first { $0.family.name == "gen_ai_server_request_duration_seconds" }
            #expect(group?.samples[0].exemplars.compactMap(\.self).map(\.identity) == [identity], "\(parent)")
        }
    }

    @Test func `tells a refused request from an answered one, and whose doing it was`() {
        note(exchange("known"))
        let refused = exchange("known")
        refused.rejection = Rejection(.policy, 429, code: "rate_limited", "Too fast.")
        refused.outcome = .rejected
        refused.status = 429
        note(refused)
        let gone = exchange("known")
        gone.outcome = .clientGone
        note(gone)
        #expect(
            samples("sluice_requests").map(\.values) == [
                ["/v1/chat/completions", "200", ""], ["/v1/chat/completions", "429", "policy_rate_limited"],
                ["/v1/chat/completions", "499", "caller_gone"],
            ])
    }

    @Test func `counts what few requests have once for each of its labels, and again where it was counted before`() {
        for _ in 0..<3 {
            let context = exchange("known")
            for field in ["seed", "tools[0].x", "tools[1].x", "their_own"] { context.attempt.report.lose(field) }
            context.malformedEvents = 2
            note(context)
        }
        let losses = samples("sluice_translation_losses")
        #expect(losses.map { $0.values[0] } == ["seed", "tools", "other"])
        #expect(losses.allSatisfy { $0.value == .number(3) })
        #expect(samples("sluice_malformed_events").map(\.value) == [.number(6)])
        worker.noteHedge("won")
        worker.noteHedge("lost")
        worker.noteHedge("won")
        #expect(samples("sluice_hedges").map(\.values) == [["won"], ["lost"]])
        #expect(samples("sluice_hedges").map(\.value) == [.number(2), .number(1)])
    }

    @Test(arguments: [
        (QueueWait.End.admitted, "admitted"), (.timeout, "refused"), (.displaced, "refused"), (.shutdown, "refused"),
        (.gone, "gone"),
    ])
    func `tells what became of a request that waited by how its waiting ended`(end: QueueWait.End, name: String) {
        let context = exchange("known")
        context.queueTime = .milliseconds(15)
        context.queueOutcome = QueueOutcome(end)
        // What it is refused with is another matter: who has to make room gets the same words as who found none.
        context.rejection = Rejection(.policy, 503, code: "model_busy", "Busy.")
        note(context)
        let counted = samples("sluice_queue_duration_seconds").filter { $0.value != .histogram(counts: Array(repeating: 0, count: 18), sum: 0) }
        #expect(counted.map(\.values) == [[name]])
    }

    @Test func `keeps apart in its tables what only a provider's word tells apart`() {
        let target = ObjectIdentifier(snapshot.lasting.targets.state(of: TargetID(provider: "alpha", model: "known")))
        let asked = (0..<100).map {
            AskedKey(operation: .chatCompletions, target: target, kind: nil, answeredBy: "made-up-\($0)").hashValue
        }
        let served = (0..<100).map {
            ServedKey(
                route: 1, code: 200, operation: .chatCompletions, target: target, provider: nil, isStream: false, error: "",
                model: "known", answeredBy: "made-up-\($0)"
            ).hashValue
        }
        #expect(Set(asked).count == 100 && Set(served).count == 100)
    }
}

@Suite struct `The overhead of an exchange` {
    private func at(_ microseconds: Int) -> Instant { Instant(nanoseconds: Int64(microseconds) * 1000) }

    @Test func `is the sum of what Sluice did, without what it waited for`() {
        var overhead = Overhead()
        overhead.begin(at: at(0), waited: .zero)
        overhead.end(.parse, at: at(10), waited: .zero)
        overhead.end(.plan, at: at(40), waited: .microseconds(20))
        overhead.end(.translate, at: at(1045), waited: .microseconds(1020))
        overhead.begin(at: at(5000), waited: .microseconds(3000))
        overhead.end(.reply, at: at(5003), waited: .microseconds(3000))
        #expect(overhead[.parse] == 10_000 && overhead[.plan] == 10_000 && overhead[.translate] == 5000)
        #expect(overhead[.reply] == 3000 && overhead.total == 28_000)
        #expect(overhead.has(.reply) && !overhead.has(.authenticate))
    }

    @Test func `is never negative, whatever was waited for`() {
        var overhead = Overhead()
        overhead.begin(at: at(100), waited: .zero)
        overhead.end(.plan, at: at(110), waited: .seconds(1))
        overhead.end(.translate, at: at(105), waited: .seconds(1))
        #expect(overhead.total == 0 && overhead.has(.plan))
    }

    @Test func `has a name for each phase`() {
        #expect(Overhead.Phase.allCases.map(\.name) == ["authenticate", "parse", "plan", "translate", "reply"])
    }
}

@Suite struct `Fields that were lost` {
    @Test(arguments: [
        ("seed", "seed"), ("messages[12].content[0].input_audio", "messages"), ("tools[3].my_secret", "tools"),
        ("reasoning.summary", "reasoning"), ("my_secret", "other"), ("", "other"), ("[0]", "other"), ("Seed", "other"),
    ])
    func `are told by the outermost one, if it is one of the API's`(path: String, label: String) {
        #expect(LostField.label(path) == label)
    }
}

@Suite struct `What a provider says is left` {
    private func fields(_ pairs: [(String, String)]) -> HeaderFields {
        var fields = HeaderFields()
        for (name, value) in pairs { fields.append(name: name.utf8Span.span, value: value.utf8Span.span) }
        return fields
    }

    @Test func `is read in the words of OpenAI and of Anthropic`() {
        let quota = QuotaReading()
        quota.note(
            fields([
                ("x-ratelimit-remaining-requests", "41"), ("x-ratelimit-limit-requests", "60"),
                ("x-ratelimit-remaining-tokens", "1000"), ("x-ratelimit-reset-tokens", "6m0s"),
            ]), at: Instant(nanoseconds: 0))
        #expect(quota.remaining(.requests) == 41 && quota.limit(.requests) == 60 && quota.remaining(.tokens) == 1000)
        #expect(quota.limit(.tokens) == nil && quota.remaining(.inputTokens) == nil)
        quota.note(
            fields([
                ("anthropic-ratelimit-requests-remaining", "7"), ("anthropic-ratelimit-output-tokens-limit", "8000"),
                ("anthropic-ratelimit-input-tokens-remaining", "many"), ("anthropic-ratelimit-tokens-remaining", "-1"),
            ]), at: Instant(nanoseconds: 200_000_000))
        #expect(quota.remaining(.requests) == 7 && quota.limit(.outputTokens) == 8000)
        #expect(quota.remaining(.inputTokens) == nil && quota.remaining(.tokens) == 1000)
    }

    @Test func `is looked at ten times a second at most`() {
        let quota = QuotaReading()
        #expect(quota.isDue(at: 5) && !quota.isDue(at: 6) && !quota.isDue(at: 100_000_004))
        #expect(quota.isDue(at: 100_000_005) && !quota.isDue(at: 100_000_006))
    }
}
