internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluiceProviders
internal import SluiceUpstream

/// Sends a request to its target and the reply back, with another key or another connection where the first was no good.
struct Forwarding {
    let pools: PoolTable
    let tokens: TokenFetcher
    let media: MediaFetcher
    let tape: JSONTape
    /// However many keys a provider has.
    private static let attemptsMax = 5

    func forward(_ request: IncomingRequest, to destination: Destination, _ context: RequestContext) async throws(Rejection) {
        if context.countsTokens, try CountedTokens.answer(request, destination, context, tape: tape) { return }
        switch destination {
        case .echo: try await EchoReply.send(request, context, tape: tape)
        case .targets:
            context.request = request
            context.exchange.onAbandoned = { [unowned context] in
                context.attempt.upstream?.cancel(UpstreamError(.cancelled, "the application has gone"))
            }
            try await proceed(context, isScanned: true)
        }
    }

    /// Makes attempts until a reply has begun or nothing is left to try.
    ///
    /// - Parameter isScanned: the tape still holds the request's document.
    func proceed(_ context: RequestContext, isScanned: Bool) async throws(Rejection) {
        var isScanned = isScanned
        while let request = context.request, let turn = try await Queueing.next(context) {
            let provider = turn.target.provider
            context.begin(turn.target)
            context.attempt.slot = turn.slot
            if turn.hasWaited { isScanned = false }
            try StoredResponses.check(context, provider)
            try RequestEditing.check(context, provider)
            if !isScanned { request.scanAgain(tape) }
            isScanned = false
            context.attempt.key = provider.keys.next(at: context.exchange.loop.now)
            var upstreamRequest = try await build(request, context, provider)
            do throws(UpstreamError) {
                if let signer = provider.signer(context.attempt.key) {
                    try await sign(&upstreamRequest, signer, context, provider)
                }
                return try await send(upstreamRequest, context, provider)
            } catch {
                if !mayTryAgain(after: error, context) { throw Self.rejection(error, context) }
            }
        }
    }

    private func build(
        _ request: IncomingRequest, _ context: RequestContext, _ provider: Provider
    ) async throws(Rejection) -> UpstreamRequest {
        if case .json(let body) = request.body, Translation.isNeeded(context, provider, tape.root(over: body.span)) {
            return try await Translation.request(body, context, provider, media: media, tape: tape)
        }
        return try UpstreamRequestBuilder.build(request, context, provider, tape: tape)
    }

    private func sign(
        _ request: inout UpstreamRequest, _ signer: any RequestSigner, _ context: RequestContext, _ provider: Provider
    ) async throws(UpstreamError) {
        if let source = signer.tokens {
            try await tokens.refresh(source, deadlines(context))
            context.attempt.tokenRenewals = source.renewals
        }
        signer.sign(
            &request, authority: provider.endpoint.authority, at: Int(EventLoop.readWallClock() / 1_000_000_000))
    }

    // MARK: One attempt

    private func send(
        _ request: UpstreamRequest, _ context: RequestContext, _ provider: Provider
    ) async throws(UpstreamError) {
        let pool = pools.pool(for: provider.endpoint)
        do throws(UpstreamError) {
            return try await attempt(request, context, pool, fresh: false)
        } catch {
            guard mayRepeat(request, error, context) else { throw error }
            // The connection had been closed while it was unused: the request goes out once more, on a new one.
            return try await attempt(request, context, pool, fresh: true)
        }
    }

    private func deadlines(_ context: RequestContext) -> Deadlines {
        let timeouts = context.snapshot.timeouts
        return Deadlines(
            connect: timeouts.connect, head: timeouts.firstByte, idle: timeouts.streamIdle,
            total: context.exchange.startedAt + timeouts.total)
    }

    private func attempt(
        _ request: UpstreamRequest, _ context: RequestContext, _ pool: ConnectionPool, fresh: Bool
    ) async throws(UpstreamError) {
        // It may have gone while a token, an image or a connection was waited for: an answer that nobody reads costs money.
        if context.exchange.isAbandoned { throw UpstreamError(.cancelled, "the application has gone") }
        context.attempts += 1
        let upstream = try await pool.send(request, deadlines: deadlines(context), fresh: fresh)
        context.attempt.upstream = upstream
        context.attempt.sentUpstreamAt = upstream.loop.now
        if context.exchange.isAbandoned {
            upstream.cancel(UpstreamError(.cancelled, "the application has gone"))
        } else if case .streamed(_, let next) = request.body {
            BodyPump.start(next, into: upstream)
        }
        let head = try await upstream.responseHead()
        context.attempt.headAt = upstream.loop.now
        if head.status == 101 { context.attempt.translation?.open(upstream) }
        try await Relaying.relay(head, from: upstream, context, tape: tape)
    }

    // MARK: After a failure

    /// Whether the provider surely has not begun to work on the request, or may work on it twice.
    private func mayRepeat(_ request: UpstreamRequest, _ error: UpstreamError, _ context: RequestContext) -> Bool {
        guard request.isReplayable, error.reason == .closedBeforeHead, !context.exchange.isHeadSent,
            let upstream = context.attempt.upstream, upstream.isOnReusedConnection
        else { return false }
        return error.isUnprocessed || request.method.isIdempotent
    }

    /// Whether another attempt is worth its while: a key was refused, and there is another one.
    func mayTryAgain(after error: UpstreamError, _ context: RequestContext) -> Bool {
        guard error.reason == .reported, !context.exchange.isHeadSent, !context.exchange.isAbandoned,
            let request = context.request, context.attempts < Self.attemptsMax, let fault = context.attempt.fault
        else { return false }
        if case .streamed = request.body { return false }
        if !KeyVerdicts.offersAnother(fault, context) { return false }
        context.outcome = .complete
        return true
    }

    /// What the application is told of a failure: its own, if that is where it began.
    static func rejection(_ error: UpstreamError, _ context: RequestContext) -> Rejection {
        if context.exchange.isAbandoned { return .gone }
        if let failure = context.exchange.downstreamFailure {
            return Rejection(failure, limitName: "limits.upload_bytes_max")
        }
        if error.reason == .reported, let fault = context.attempt.fault { return Rejection(fault) }
        return Rejection(error, provider: context.attempt.provider?.name ?? "")
    }
}
