internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders
internal import SluiceStorage

/// One worker's counting: what an exchange and its attempts have to tell, once each is over.
///
/// The series of a combination of labels are looked up once and kept: after that a request costs one look-up by a small key, and a
/// load and a store for each count.
final class ExchangeMetrics {
    private struct ServedKey: Hashable {
        let operation: OpenAIOperation?
        let target: ObjectIdentifier?
        let provider: ObjectIdentifier?
        let model: String
        let error: String
        let isStream: Bool
    }

    private struct Served {
        let duration: MetricRegistry.Histogram
        /// Of streams alone.
        let stream: (firstToken: MetricRegistry.Histogram, timePerToken: MetricRegistry.Histogram)?
    }

    private struct AskedKey: Hashable {
        let operation: OpenAIOperation?
        let target: ObjectIdentifier
        let kind: FailureClass?
    }

    private struct Asked {
        let attempts: MetricRegistry.Counter
        let duration: MetricRegistry.Histogram
        let firstChunk: MetricRegistry.Histogram
    }

    private struct TokenKey: Hashable {
        let operation: OpenAIOperation?
        let target: ObjectIdentifier
    }

    private struct Tokens {
        let input, output: MetricRegistry.Histogram
        let cost: MetricRegistry.Counter?
    }

    private struct RequestKey: Hashable {
        /// The address of a constant.
        let route: Int
        let code: Int
        let error: String
    }

    private let metrics: GatewayMetrics
    private let shard: MetricShard
    private let directory: ModelDirectory
    private var names = ModelLabels()
    private var revision = -1
    private var served: [ServedKey: Served] = [:]
    private var asked: [AskedKey: Asked] = [:]
    private var tokens: [TokenKey: Tokens] = [:]
    private var requests: [RequestKey: MetricRegistry.Counter] = [:]
    private var rare: [[String]: MetricRegistry.Counter] = [:]
    private enum Source: String, CaseIterable { case provider, drained, estimated, cache, unknown }
    private let sources: [Source: MetricRegistry.Counter]
    private var cacheStates: [CacheTurn.State: [CacheTurn.Level?: MetricRegistry.Counter]] = [:]
    private let requestOverhead: MetricRegistry.Histogram
    private let replyOverhead: MetricRegistry.Histogram
    /// Combinations that are kept; when there are more, they are looked up again.
    private static let keptMax = 4096

    init(_ metrics: GatewayMetrics, directory: ModelDirectory) {
        self.metrics = metrics
        self.directory = directory
        shard = metrics.registry.makeShard()
        sources = Dictionary(
            uniqueKeysWithValues: Source.allCases.map {
                ($0, metrics.registry.counter(metrics.usageSources, [$0.rawValue]))
            })
        requestOverhead = metrics.registry.histogram(metrics.overhead, ["request"])
        replyOverhead = metrics.registry.histogram(metrics.overhead, ["reply"])
    }

    /// An exchange is over. To be called once.
    func note(_ context: RequestContext, at now: Instant) {
        renew(context.snapshot)
        let error = ErrorType.of(context)
        noteRequest(context, error)
        guard let operation = context.operation else { return }
        let target = context.attempt.target
        let key = ServedKey(
            operation: operation, target: target.map { ObjectIdentifier($0) },
            provider: context.attempt.provider.map { ObjectIdentifier($0) }, model: context.model, error: error,
            isStream: context.isInStream)
        let series = served[key] ?? makeServed(key, context)
        let took = now - context.exchange.startedAt
        shard.observe(Int(took.nanoseconds), in: series.duration)
        if let stream = series.stream, let first = context.firstByteAt {
            shard.observe(Int((first - context.exchange.startedAt).nanoseconds), in: stream.firstToken)
            if let usage = context.attempt.usage, !usage.isEstimated, usage.outputTokens > 1 {
                shard.observe(Int((now - first).nanoseconds) / (usage.outputTokens - 1), in: stream.timePerToken)
            }
        }
        noteUsage(context, operation)
        if let overhead = context.overhead {
            shard.observe(Int(overhead.request.nanoseconds), in: requestOverhead)
            shard.observe(Int(overhead.reply.nanoseconds), in: replyOverhead)
        }
        noteRare(context)
    }

    /// An attempt is over. To be called once for each.
    func note(_ attempt: Attempt, _ kind: FailureClass?, _ context: RequestContext, at now: Instant) {
        guard let target = attempt.target else { return }
        renew(context.snapshot)
        let key = AskedKey(operation: context.operation, target: ObjectIdentifier(target), kind: kind)
        let series = asked[key] ?? makeAsked(key, attempt, target, context)
        shard.add(to: series.attempts)
        shard.observe(Int((now - attempt.startedAt).nanoseconds), in: series.duration)
        if let latency = attempt.latency { shard.observe(Int(latency.nanoseconds), in: series.firstChunk) }
    }

    /// A second attempt was made beside a first one.
    func noteHedge(_ result: String) { add(metrics.hedges, [result]) }

    /// What was looked up for another configuration may name what is no longer there.
    private func renew(_ snapshot: ConfigSnapshot) {
        let kept = served.count + asked.count + tokens.count + requests.count + rare.count
        if snapshot.revision == revision, kept < Self.keptMax { return }
        revision = snapshot.revision
        served.removeAll()
        asked.removeAll()
        tokens.removeAll()
        requests.removeAll()
        rare.removeAll()
    }

    private func noteRequest(_ context: RequestContext, _ error: String) {
        let code = context.outcome == .clientGone ? 499 : Int(context.status.code)
        let key = RequestKey(route: unsafe Int(bitPattern: context.route.utf8Start), code: code, error: error)
        if let counter = requests[key] { return shard.add(to: counter) }
        let counter = metrics.registry.counter(metrics.requests, ["\(context.route)", "\(code)", error])
        requests[key] = counter
        shard.add(to: counter)
    }

    // MARK: Series

    private func makeServed(_ key: ServedKey, _ context: RequestContext) -> Served {
        let provider = context.attempt.provider
        let values = [
            key.operation?.rawValue ?? "", provider?.name ?? "",
            names.label(context.model, provider, context.snapshot, directory),
            names.label(context.attempt.upstreamModel, provider, context.snapshot, directory), key.error,
        ]
        let registry = metrics.registry
        let series = Served(
            duration: registry.histogram(metrics.requestDuration, values),
            stream: key.isStream
                ? (registry.histogram(metrics.firstToken, values), registry.histogram(metrics.timePerToken, values)) : nil)
        served[key] = series
        return series
    }

    private func makeAsked(
        _ key: AskedKey, _ attempt: Attempt, _ target: TargetState, _ context: RequestContext
    ) -> Asked {
        let model = names.label(target.id.model, attempt.provider, context.snapshot, directory)
        let values = [context.operation?.rawValue ?? "", target.id.provider, model, ErrorType.of(key.kind)]
        let outcome = key.kind == nil ? "success" : key.kind == .cancelled || key.kind == .outrun ? "cancelled" : "failure"
        let series = Asked(
            attempts: metrics.registry.counter(
                metrics.attempts, [target.id.provider, model, outcome, key.kind?.rawValue ?? ""]),
            duration: metrics.registry.histogram(metrics.attemptDuration, values),
            firstChunk: metrics.registry.histogram(metrics.firstChunk, values))
        asked[key] = series
        return series
    }

    private func makeTokens(_ key: TokenKey, _ target: TargetState, _ context: RequestContext) -> Tokens {
        let registry = metrics.registry
        let place = tokenPlace(target, context)
        let operation = key.operation?.rawValue ?? ""
        let series = Tokens(
            input: registry.histogram(metrics.tokens, [operation] + place + ["input"]),
            output: registry.histogram(metrics.tokens, [operation] + place + ["output"]),
            cost: context.attempt.routed?.traits.price.map { _ in registry.counter(metrics.cost, place) })
        tokens[key] = series
        return series
    }

    private func tokenPlace(_ target: TargetState, _ context: RequestContext) -> [String] {
        let provider = context.attempt.provider
        return [target.id.provider, names.label(target.id.model, provider, context.snapshot, directory)]
    }

    // MARK: Usage

    private func noteUsage(_ context: RequestContext, _ operation: OpenAIOperation) {
        if context.isCacheHit { return count(.cache) }
        guard let usage = context.attempt.usage, let target = context.attempt.target else {
            if context.hasContentOut, operation.hasStreamOptions { count(.unknown) }
            return
        }
        let key = TokenKey(operation: operation, target: ObjectIdentifier(target))
        let series = tokens[key] ?? makeTokens(key, target, context)
        if usage.isEstimated {
            let place = tokenPlace(target, context)
            count(.estimated)
            add(metrics.estimatedTokens, place + ["input"], max(0, usage.inputTokens))
            add(metrics.estimatedTokens, place + ["output"], max(0, usage.outputTokens))
        } else {
            count(context.drain == nil ? .provider : .drained)
            shard.observe(max(0, usage.inputTokens), in: series.input)
            shard.observe(max(0, usage.outputTokens), in: series.output)
            noteParts(of: usage, operation, target, context)
        }
        if let counter = series.cost, let price = context.attempt.routed?.traits.price {
            let cost = price.micros(
                inputTokens: usage.inputTokens, outputTokens: usage.outputTokens,
                cachedInputTokens: usage.cachedInputTokens)
            shard.add(cost, to: counter)
        }
    }

    private func count(_ source: Source) { if let counter = sources[source] { shard.add(to: counter) } }

    /// Tokens that are counted among input or output too.
    private func noteParts(
        of usage: Usage, _ operation: OpenAIOperation, _ target: TargetState, _ context: RequestContext
    ) {
        for (type, count) in [
            ("cached_input", usage.cachedInputTokens), ("cache_creation_input", usage.cacheWriteInputTokens),
            ("reasoning", usage.reasoningTokens),
        ] where count > 0 {
            let values = [operation.rawValue] + tokenPlace(target, context) + [type]
            shard.observe(count, in: metrics.registry.histogram(metrics.tokens, values))
        }
    }

    // MARK: What most requests do not have

    private func noteRare(_ context: RequestContext) {
        if let turn = context.cacheTurn {
            let counter = cacheStates[turn.state]?[turn.level] ?? makeCacheState(turn)
            shard.add(to: counter)
            if let served = turn.served {
                let age = served.lifetime.age(at: context.exchange.loop.now)
                shard.observe(Int(age.nanoseconds), in: metrics.registry.histogram(metrics.cacheAge))
            }
        }
        if let wait = context.queueTime {
            let outcome = context.rejection?.code.hasPrefix("queue") == true ? "refused" : "admitted"
            shard.observe(Int(wait.nanoseconds), in: metrics.registry.histogram(metrics.queueTime, [outcome]))
        }
        if let kind = context.degraded { add(metrics.degraded, [kind.rawValue]) }
        if context.malformedEvents > 0 { add(metrics.malformedEvents, [], context.malformedEvents) }
        for field in context.attempt.report.lost {
            add(metrics.losses, [field, context.attempt.provider?.dialect.rawValue ?? ""])
        }
        if !context.tried.isEmpty { noteTried(context) }
    }

    private func makeCacheState(_ turn: CacheTurn) -> MetricRegistry.Counter {
        let counter = metrics.registry.counter(metrics.cached, [turn.state.rawValue, turn.level?.rawValue ?? ""])
        cacheStates[turn.state, default: [:]][turn.level] = counter
        return counter
    }

    private func noteTried(_ context: RequestContext) {
        let wasFollowed = context.attempts > context.tried.count
        for tried in wasFollowed ? context.tried[...] : context.tried.dropLast() {
            add(metrics.retries, [tried.provider, tried.kind.rawValue])
        }
        guard context.rejection == nil, let first = context.tried.first, let last = context.attempt.provider,
            first.provider != last.name || first.model != context.attempt.upstreamModel
        else { return }
        func place(_ provider: String, _ model: String) -> String {
            "\(provider)/\(names.label(model, context.attempt.provider, context.snapshot, directory))"
        }
        add(
            metrics.fallbacks,
            [place(first.provider, first.model), place(last.name, context.attempt.upstreamModel), first.kind.rawValue])
    }

    private func add(_ id: MetricRegistry.ID, _ values: [String], _ count: Int = 1) {
        let key = ["\(id.index)"] + values
        if let counter = rare[key] { return shard.add(count, to: counter) }
        let counter = metrics.registry.counter(id, values)
        rare[key] = counter
        shard.add(count, to: counter)
    }
}
