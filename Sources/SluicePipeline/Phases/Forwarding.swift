internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluiceProviders
internal import SluiceUpstream

/// Sends a request to its target and the reply back.
enum Forwarding {
    static func forward(
        _ request: IncomingRequest, to target: Target, _ context: RequestContext, pools: PoolTable, tape: JSONTape
    ) async throws(Rejection) {
        switch target {
        case .echo: try await EchoReply.send(request, context, tape: tape)
        case .provider(let provider):
            try RequestEditing.check(context, provider)
            let upstreamRequest: UpstreamRequest
            if case .json(let body) = request.body, Translation.isNeeded(context, provider, tape.root(over: body.span)) {
                upstreamRequest = try Translation.request(body, context, provider, tape: tape)
            } else {
                upstreamRequest = try UpstreamRequestBuilder.build(request, context, provider, tape: tape)
            }
            try await send(upstreamRequest, to: provider, context, pool: pools.pool(for: provider.endpoint), tape: tape)
        }
    }

    private static func send(
        _ request: UpstreamRequest, to provider: Provider, _ context: RequestContext, pool: ConnectionPool, tape: JSONTape
    ) async throws(Rejection) {
        let timeouts = context.snapshot.timeouts
        let deadlines = Deadlines(
            connect: timeouts.connect, head: timeouts.firstByte, idle: timeouts.streamIdle,
            total: context.exchange.startedAt + timeouts.total)
        context.exchange.onAbandoned = { [unowned context] in
            context.upstream?.cancel(UpstreamError(.cancelled, "the application has gone"))
        }
        do throws(UpstreamError) {
            do throws(UpstreamError) {
                return try await attempt(request, deadlines, context, pool, tape, fresh: false)
            } catch {
                guard mayRepeat(request, error, context) else { throw error }
                // The connection had been closed while it was unused: the request goes out once more, on a new one.
                return try await attempt(request, deadlines, context, pool, tape, fresh: true)
            }
        } catch {
            if context.exchange.isAbandoned { throw .gone }
            if let failure = context.exchange.downstreamFailure { throw Rejection(failure, limitName: "limits.upload_bytes_max") }
            if error.reason == .reported, let fault = context.fault { throw Rejection(fault) }
            throw Rejection(error, provider: provider.name)
        }
    }

    /// Whether the provider surely has not begun to work on the request, or may work on it twice.
    private static func mayRepeat(_ request: UpstreamRequest, _ error: UpstreamError, _ context: RequestContext) -> Bool {
        guard request.isReplayable, error.reason == .closedBeforeHead, !context.exchange.isHeadSent,
            let upstream = context.upstream, upstream.isOnReusedConnection
        else { return false }
        return error.isUnprocessed || request.method.isIdempotent
    }

    private static func attempt(
        _ request: UpstreamRequest, _ deadlines: Deadlines, _ context: RequestContext, _ pool: ConnectionPool, _ tape: JSONTape,
        fresh: Bool
    ) async throws(UpstreamError) {
        context.attempts += 1
        let upstream = try await pool.send(request, deadlines: deadlines, fresh: fresh)
        context.upstream = upstream
        context.sentUpstreamAt = upstream.loop.now
        if context.exchange.isAbandoned {
            upstream.cancel(UpstreamError(.cancelled, "the application has gone"))
        } else if case .streamed(_, let next) = request.body {
            BodyPump.start(next, into: upstream)
        }
        let head = try await upstream.responseHead()
        context.headAt = upstream.loop.now
        try await Relaying.relay(head, from: upstream, context, tape: tape)
    }
}
