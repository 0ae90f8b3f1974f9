internal import SluiceConfig
internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders
internal import SluiceUpstream

/// Sends a request to those of its plan, one after the other, until one of them answers or nothing is left to try.
struct Forwarding {
    let pools: PoolTable
    let limiting: Limiting
    let tokens: TokenFetcher
    let media: MediaFetcher
    let tape: JSONTape
    let candidates: CandidateChoice
    let books: AttemptBooks
    let dice: Dice

    init(
        pools: PoolTable, metrics: ExchangeMetrics, limiting: Limiting, tokens: TokenFetcher, media: MediaFetcher, tape: JSONTape,
        hints: HintChannel, log: LogQueue,
        seed: UInt64
    ) {
        self.pools = pools
        self.limiting = limiting
        self.tokens = tokens
        self.media = media
        self.tape = tape
        candidates = CandidateChoice(log: BreakerLog(log))
        books = AttemptBooks(log: BreakerLog(log), hints: hints, metrics: metrics)
        dice = Dice(seed: seed)
    }

    func forward(_ request: IncomingRequest, to destination: Destination, _ context: RequestContext)
        async throws(Rejection)
    {
        context.load(request, on: tape)
        if context.countsTokens, try CountedTokens.answer(request, destination, context, tape: tape) { return }
        switch destination {
        case .echo: try await EchoReply.send(request, context, tape: tape)
        case .targets:
            context.request = request
            context.exchange.onAbandoned = { [unowned context] in
                StreamDrain.abandoned(context)
            }
            try await proceed(context)
        }
    }

    /// Makes attempts until a reply has begun or nothing is left to try.
    func proceed(_ context: RequestContext) async throws(Rejection) {
        while let request = context.request {
            let target = try await candidate(context)
            context.load(request, on: tape)
            let upstreamRequest: UpstreamRequest
            do throws(Rejection) {
                upstreamRequest = try await prepare(request, target, context)
            } catch {
                try goOn(without: target, error, context)
                continue
            }
            do throws(UpstreamError) {
                try await send(upstreamRequest, context, target.provider)
                if context.stream == nil { books.conclude(&context.attempt, nil, context) }
                return
            } catch {
                if !mayTryAgain(after: error, context) { throw lastWord(error, context) }
            }
        }
    }

    /// Everything that comes before the first byte goes out.
    private func prepare(
        _ request: IncomingRequest, _ target: RouteTarget, _ context: RequestContext
    ) async throws(Rejection) -> UpstreamRequest {
        let provider = target.provider
        if context.snapshot.rateLimits?.hasPerAttempt == true {
            try await limiting.admitAttempt(context, request, tape: tape)  // 429
        }
        try StoredResponses.check(context, provider)
        try RequestEditing.check(context, provider)
        let request = try context.rescue?.request(request, context, tape: tape) ?? request
        chooseKey(target, context)
        return try await build(request, context, provider)
    }

    /// The next key in turn that is not set aside, and not closed for this target.
    func chooseKey(_ target: RouteTarget, _ context: RequestContext) {
        let now = context.exchange.loop.now
        let closures = target.state.health.closures
        let keys = target.provider.keys
        context.attempt.key =
            closures.isEmpty
            ? keys.next(at: now) : keys.next(at: now) { key in closures.opening(of: key, at: now) != nil }
    }

    func build(
        _ request: IncomingRequest, _ context: RequestContext, _ provider: Provider
    ) async throws(Rejection) -> UpstreamRequest {
        if case .json(let body) = request.body, Translation.isNeeded(context, provider, tape.root(over: body.span)) {
            return try await Translation.request(body, context, provider, media: media, tape: tape)
        }
        return try UpstreamRequestBuilder.build(request, context, provider, tape: tape)
    }

    func sign(
        _ request: inout UpstreamRequest, _ context: RequestContext, _ provider: Provider
    ) async throws(UpstreamError) {
        guard let signer = provider.signer(context.attempt.key) else { return }
        if let source = signer.tokens {
            try await tokens.refresh(source, context.deadlines)
            context.attempt.tokenRenewals = source.renewals
        }
        signer.sign(
            &request, authority: provider.endpoint.authority, at: Int(EventLoop.readWallClock() / 1_000_000_000))
    }

    // MARK: One attempt

    private func send(
        _ request: UpstreamRequest, _ context: RequestContext, _ provider: Provider
    ) async throws(UpstreamError) {
        var request = request
        try await sign(&request, context, provider)
        let pool = pools.pool(for: provider.endpoint)
        do throws(UpstreamError) {
            return try await attempt(request, context, pool, fresh: false)
        } catch {
            guard mayRepeat(request, error, context) else { throw error }
            // The connection had been closed while it was unused: the request goes out once more, on a new one.
            return try await attempt(request, context, pool, fresh: true)
        }
    }

    private func attempt(
        _ request: UpstreamRequest, _ context: RequestContext, _ pool: ConnectionPool, fresh: Bool
    ) async throws(UpstreamError) {
        try await start(request, context, pool, fresh: fresh)
        guard let upstream = context.attempt.upstream else { return }
        let head: ResponseHead
        if let delay = hedgeDelay(context) {
            head = try await headOfTheFaster(after: delay, context)
        } else {
            head = try await upstream.responseHead()
            context.attempt.headAt = upstream.loop.now
        }
        guard let upstream = context.attempt.upstream else { return }
        if head.status == 101 { context.attempt.translation?.open(upstream) }
        try await Relaying.relay(head, from: upstream, context, tape: tape)
    }

    /// Sends the request of the context's attempt on its way.
    func start(
        _ request: UpstreamRequest, _ context: RequestContext, _ pool: ConnectionPool, fresh: Bool
    ) async throws(UpstreamError) {
        // It may have gone while a token, an image or a connection was waited for: an answer that nobody reads costs money.
        if let ending = context.ending { throw ending }
        context.attempts += 1
        if context.attempts == 1 { context.noteSending() }
        let upstream = try await pool.send(request, deadlines: context.deadlines, fresh: fresh)
        context.attempt.upstream = upstream
        context.attempt.sentUpstreamAt = upstream.loop.now
        if let ending = context.ending {
            upstream.cancel(ending)
        } else if case .streamed(_, let next) = request.body {
            BodyPump.start(next, into: upstream)
        }
    }

    /// Whether the provider surely has not begun to work on the request, or may work on it twice.
    private func mayRepeat(_ request: UpstreamRequest, _ error: UpstreamError, _ context: RequestContext) -> Bool {
        guard request.isReplayable, error.reason == .closedBeforeHead,
            context.isInStream || !context.exchange.isHeadSent,
            let upstream = context.attempt.upstream, upstream.isOnReusedConnection
        else { return false }
        return error.isUnprocessed || request.method.isIdempotent
    }
}

/// One worker's random numbers, for waits.
final class Dice {
    var random: SplitMix64
    init(seed: UInt64) { random = SplitMix64(seed) }
}

extension RequestContext {
    /// How long each part of an attempt may take; all attempts share the total.
    var deadlines: Deadlines {
        let timeouts = timeouts
        return Deadlines(
            connect: timeouts.connect, head: timeouts.firstByte, firstToken: timeouts.firstToken,
            idle: timeouts.streamIdle, total: exchange.startedAt + timeouts.total)
    }

    var timeLeft: Duration { deadlines.total - exchange.loop.now }
}
