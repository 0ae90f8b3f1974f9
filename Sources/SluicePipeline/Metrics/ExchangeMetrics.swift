internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders

/// One worker's counting: what an exchange and its attempts have to tell, once each is over.
///
/// The series of a combination of labels are looked up once and kept: after that a request costs one look-up by a small key, and a
/// load and a store for each count.
final class ExchangeMetrics {
    let metrics: GatewayMetrics
    let shard: MetricShard
    let directory: ModelDirectory
    var names = ModelLabels()
    private var revision = -1
    private var served = SeriesTable<ServedKey, ServedSeries>()
    private var asked = SeriesTable<AskedKey, AskedSeries>()
    private var chunks: [ChunkKey: HistogramCell] = [:]
    private var rare: [RareKey: CounterCell] = [:]
    let sources: [CounterCell]
    private let phases: [HistogramCell]
    private let openStreams: CounterCell
    let cacheAge: HistogramCell
    let queueTimes: [HistogramCell]
    var cacheStates: [CounterCell?] = Array(repeating: nil, count: 5 * 3)

    /// Where a count of tokens is from.
    enum Source: Int, CaseIterable {
        case provider, drained, estimated, cache, unknown
        var name: String { "\(self)" }
    }

    private struct ChunkKey: Hashable {
        let operation: OpenAIOperation?
        let target: TargetState
        let answeredBy: String

        func hash(into hasher: inout Hasher) {
            hasher.combine(ObjectIdentifier(target))
            hasher.combine(answeredBy)
        }

        static func == (a: Self, b: Self) -> Bool {
            a.target === b.target && a.operation == b.operation && a.answeredBy == b.answeredBy
        }
    }

    /// Keys that are kept here; when there are more, they are looked up again.
    private static let keptMax = 4096

    init(_ metrics: GatewayMetrics, directory: ModelDirectory) {
        self.metrics = metrics
        self.directory = directory
        let (registry, shard) = (metrics.registry, metrics.registry.makeShard())
        self.shard = shard
        sources = Source.allCases.map { registry.counterCell(metrics.usageSources, [$0.name], in: shard) }
        phases = Overhead.Phase.allCases.map { registry.histogramCell(metrics.overhead, [$0.name], in: shard) }
        openStreams = registry.counterCell(metrics.openStreams, in: shard)
        cacheAge = registry.histogramCell(metrics.cacheAge, in: shard)
        queueTimes = QueueOutcome.allCases.map { registry.histogramCell(metrics.queueTime, [$0.name], in: shard) }
    }

    // MARK: As they happen

    func streamBegan() { openStreams.add() }

    /// An attempt is over. To be called once for each.
    ///
    /// - Parameter outcome: what the breaker of its target is told; `nil` if it has none.
    func note(
        _ attempt: borrowing Attempt, _ kind: FailureClass?, _ outcome: CircuitBreaker.Outcome?, _ context: RequestContext,
        at now: Instant
    ) {
        guard let target = attempt.target else { return }
        renew(context.snapshot)
        let key = AskedKey(
            operation: context.operation, target: ObjectIdentifier(target), kind: kind, answeredBy: attempt.answeredBy)
        let series = asked.series(key) { makeAsked(key, target, context) }
        series.attempts.add()
        series.duration.observe(Int((now - attempt.startedAt).nanoseconds))
        if let latency = attempt.latency { series.firstChunk.observe(Int(latency.nanoseconds)) }
        if let outcome { note(outcome, of: series, target, context) }
    }

    /// Where the time between pieces of an attempt's answer is counted.
    func chunkTimes(_ context: RequestContext) -> HistogramCell? {
        guard let target = context.attempt.target else { return nil }
        let key = ChunkKey(operation: context.operation, target: target, answeredBy: context.attempt.answeredBy)
        if let cell = chunks[key] { return cell }
        if chunks.count >= Self.keptMax { chunks.removeAll() }
        let values = [
            context.operation?.rawValue ?? "", target.id.provider, label(target.id.model, context),
            label(context.attempt.answeredBy, context),
        ]
        let cell = metrics.registry.histogramCell(metrics.chunkTime, values, in: shard)
        chunks[key] = cell
        return cell
    }

    // MARK: At the end

    /// An exchange is over. To be called once.
    func note(_ context: RequestContext, at now: Instant) {
        renew(context.snapshot)
        if context.isInStream { openStreams.add(-1) }
        let key = ServedKey(
            route: unsafe Int(bitPattern: context.route.utf8Start),
            code: context.outcome == .clientGone ? 499 : Int(context.status.code), operation: context.operation,
            target: context.attempt.target.map { ObjectIdentifier($0) },
            provider: context.attempt.provider.map { ObjectIdentifier($0) },
            isStream: context.isInStream, error: ErrorType.of(context), model: context.model,
            answeredBy: context.attempt.answeredBy)
        let series = served.series(key) { makeServed(key, context) }
        series.requests.add()
        if context.isInvocation { notePhases(context.overhead) }
        guard let duration = series.duration else { return }
        observe(now - context.exchange.startedAt, in: duration, context, at: now)
        if let stream = series.stream, let first = context.firstByteAt {
            observe(first - context.exchange.startedAt, in: stream.firstToken, context, at: now)
            if let usage = context.attempt.usage, !usage.isEstimated, usage.outputTokens > 1 {
                stream.timePerToken.observe(Int((now - first).nanoseconds) / (usage.outputTokens - 1))
            }
        }
        noteUsage(context, series)
        noteRare(context)
    }

    private func notePhases(_ overhead: Overhead) {
        for phase in Overhead.Phase.allCases where overhead.has(phase) {
            phases[phase.rawValue].observe(Int(overhead[phase]))
        }
    }

    private func observe(_ time: Duration, in cell: HistogramCell, _ context: RequestContext, at now: Instant) {
        let nanoseconds = Int(time.nanoseconds)
        let bucket = cell.observe(nanoseconds)
        if !cell.wantsExemplar(in: bucket, at: now) { return }
        cell.keep(
            context.exemplar, of: nanoseconds, in: bucket, at: now, unixNanoseconds: EventLoop.readWallClock())
    }

    /// What was looked up for another configuration may name what is no longer there.
    private func renew(_ snapshot: ConfigSnapshot) {
        if snapshot.revision == revision { return }
        revision = snapshot.revision
        served.removeAll()
        asked.removeAll()
        chunks.removeAll()
        rare.removeAll()
    }

    // MARK: Series

    private func makeServed(_ key: ServedKey, _ context: RequestContext) -> ServedSeries {
        let registry = metrics.registry
        let requests = registry.counterCell(
            metrics.requests, ["\(context.route)", "\(key.code)", key.error], in: shard)
        let provider = context.attempt.provider
        guard let operation = key.operation else {
            return ServedSeries(requests, nil, nil, of: (context.attempt.target, provider))
        }
        let values = [
            operation.rawValue, provider?.name ?? "", label(context.model, context),
            label(context.attempt.upstreamModel, context), label(key.answeredBy, context), key.error,
        ]
        let duration = registry.histogramCell(metrics.requestDuration, values, in: shard, keepsExemplars: true)
        let stream = !key.isStream ? nil : ServedSeries.Stream(
            firstToken: registry.histogramCell(metrics.firstToken, values, in: shard, keepsExemplars: true),
            timePerToken: registry.histogramCell(metrics.timePerToken, values, in: shard))
        return ServedSeries(requests, duration, stream, of: (context.attempt.target, provider))
    }

    private func note(
        _ outcome: CircuitBreaker.Outcome, of series: AskedSeries, _ target: TargetState, _ context: RequestContext
    ) {
        let (place, name) =
            switch outcome {
            case .success: (0, "success")
            case .failure: (1, "failure")
            case .neutral: (2, "neutral")
            }
        if let counter = series.breaker[place] { return counter.add() }
        let counter = metrics.registry.counterCell(
            metrics.breakerOutcomes, [target.id.provider, label(target.id.model, context), name], in: shard)
        series.breaker[place] = counter
        counter.add()
    }

    private func makeAsked(_ key: AskedKey, _ target: TargetState, _ context: RequestContext) -> AskedSeries {
        let model = label(target.id.model, context)
        let values = [
            context.operation?.rawValue ?? "", target.id.provider, model,
            label(key.answeredBy, context), ErrorType.of(key.kind),
        ]
        let outcome = key.kind == nil ? "success" : key.kind == .cancelled || key.kind == .outrun ? "cancelled" : "failure"
        let registry = metrics.registry
        return AskedSeries(
            registry.counterCell(
                metrics.attempts, [target.id.provider, model, outcome, key.kind?.rawValue ?? ""], in: shard),
            registry.histogramCell(metrics.attemptDuration, values, in: shard),
            registry.histogramCell(metrics.firstChunk, values, in: shard), of: target)
    }

    /// A model as it may be told.
    func label(_ model: String, _ context: RequestContext) -> String {
        names.label(model, context.snapshot, directory)
    }

    /// Counts what most requests do not have.
    func add(
        _ id: MetricRegistry.ID, _ first: String? = nil, _ second: String? = nil, _ third: String? = nil, count: Int = 1
    ) {
        let key = RareKey(family: id.index, first: first, second: second, third: third)
        if let counter = rare[key] { return counter.add(count) }
        if rare.count >= Self.keptMax { rare.removeAll() }
        let counter = metrics.registry.counterCell(id, key.values, in: shard)
        rare[key] = counter
        counter.add(count)
    }
}

extension RequestContext {
    /// What the exchange is known by where traces and logs are kept.
    fileprivate var exemplar: MetricExemplar.Identity {
        if let trace { return .trace(trace.traceID.text) }
        let fields = exchange.head.fields
        if let index = fields.index(of: .traceparent), let parent = TraceParent(fields.value(at: index)) {
            return .trace(parent.traceID.text)
        }
        return .request(requestID)
    }
}
