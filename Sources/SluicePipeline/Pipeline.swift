package import SluiceCore
package import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
package import SluiceNet
internal import SluicePolicy
internal import SluiceProviders
package import SluiceStorage
internal import SluiceUpstream

/// The request path of one worker, in order. Each phase adds what it learned to the context, or rejects.
package final class Pipeline {
    let loop: EventLoop
    /// In force for exchanges that begin now.
    package var snapshot: ConfigSnapshot
    let directory: ModelDirectory
    let routing: Routing
    let status: GatewayStatus
    let pools: PoolTable
    let limiting: Limiting
    let forwarding: Forwarding
    let settlement: Settlement
    let gauge: LoadGauge
    let caching: CacheRuntime
    let metrics: ExchangeMetrics
    private let tracer = Tracer()
    let hints: HintChannel
    /// This worker's Redis; `nil`: there is none.
    package private(set) var redis: RedisClient? { didSet { limiting.shared.redis = redis } }
    /// Answers requests about the gateway itself; `nil`: there are none.
    let management: (any ManagementHandler)?
    private let connectRedis: (ConfigSnapshot) -> RedisClient?
    /// For documents that are read in one go; nothing on it outlives a suspension.
    let tape = JSONTape()
    private var requestIDs: RequestIDs
    private var traceIDs: SplitMix64
    /// Exchanges under way, so that they can be ended when the process ends.
    private var active: [RequestContext?] = []
    private var freePlaces: [Int] = []

    package init(
        loop: EventLoop, snapshot: ConfigSnapshot, directory: ModelDirectory, status: GatewayStatus, resolver: Resolver,
        gauge: LoadGauge, log: LogQueue, seed: UInt64, management: (any ManagementHandler)? = nil
    ) {
        self.loop = loop
        self.management = management
        self.snapshot = snapshot
        self.directory = directory
        routing = Routing(directory: directory, seed: seed)
        self.status = status
        self.gauge = gauge
        pools = PoolTable(loop: loop, resolver: resolver)
        hints = HintChannel(snapshot, log: BreakerLog(log))
        limiting = Limiting(loop: loop, log: log)
        metrics = ExchangeMetrics(snapshot.lasting.metrics, directory: directory)
        forwarding = Forwarding(
            pools: pools, metrics: metrics, limiting: limiting, tokens: TokenFetcher(pools: pools, tape: tape),
            media: MediaFetcher(loop: loop, resolver: resolver),
            tape: tape, hints: hints, log: log, seed: seed)
        settlement = Settlement(log: log)
        caching = CacheRuntime(loop: loop, seed: seed, cache: snapshot.lasting.cache)
        requestIDs = RequestIDs(seed: seed)
        traceIDs = SplitMix64(seed ^ 0x7472_6163_6569_6473)
        connectRedis = { snapshot in
            snapshot.redis.map {
                RedisClient($0, health: snapshot.lasting.redis, loop: loop, resolver: resolver, seed: seed)
            }
        }
        redis = connectRedis(snapshot)
        limiting.shared.redis = redis
        caching.adopt(redis)
        hints.adopt(redis)
    }

    package func serve(_ exchange: DownstreamExchange) async {
        let context = enter(exchange)
        let inFlight = gauge.enter()
        do throws(Rejection) {
            // 404, 405, or answered here
            guard let wanted = try Reception.receive(context, status, management) else { return leave(context) }
            if case .token(let office) = wanted {
                try await TokenIssuing.answer(context, office)
                return leave(context)
            }
            let access = context.snapshot.access
            if let access {
                context.beginPhase(at: loop.now)
                try await Authentication.authenticate(context, access)  // 400, 401, 429
                try Authorization.admitEndpoint(wanted, context)  // 403
                context.endPhase(.authenticate)
            } else if exchange.peer.trust == .nobody {
                throw Authentication.refuseEverybody(context)  // 401
            }
            if case .management = wanted {
                await manage(context)
                return leave(context)
            }
            guard let demand = try Reception.answer(wanted, context, directory) else { return leave(context) }
            context.isInvocation = true
            try Admission.admit(context, gauge, inFlight: inFlight)  // 503
            let request = try await Intake.read(demand, context, tape: tape)  // 400, 408, 413
            context.requestScan = tape.scanCount
            context.endParsing()
            if let records = context.snapshot.records {
                let takesBodies = context.snapshot.lasting.records.takesBodies
                RecordNotes.begin(request, context, records, takesBodies: takesBodies, tape: tape)
            }
            if context.trace != nil { SpanNotes.begin(request, context) }
            if context.snapshot.asksWhoCalls { Identification.identify(context) }
            if access != nil { try Authorization.admitRequest(context) }  // 403
            if exchange.head.fields.contains(.idempotencyKey),  // 400, 409
                try await Idempotency.recall(request, context, caching, tape: tape)
            {
                return leave(context)
            }
            let destination = try routing.plan(context, request, tape: tape)  // 404
            if access != nil { try Authorization.admitPlan(context) }  // 403
            if context.snapshot.rateLimits != nil { try await limiting.admit(context, request, tape: tape) }  // 429
            switch try Caching.recall(request, context, caching, tape: tape) {
            case .answered: return leave(context)
            case .wait(let wanted, let turn, let settings):
                context.endPhase(.plan)
                let isAnswered = try await Caching.wait(wanted, turn, settings, request, context, caching, tape: tape)
                if isAnswered { return leave(context) }
                context.beginPhase(at: EventLoop.readClock())
            case .ask: context.endPhase(.plan)
            }
            try await Queueing.enterModel(context)  // 429, 503
            try await forwarding.forward(request, to: destination, context)  // 502, 503, 504
        } catch {
            reject(context, error)
        }
        if let stream = context.stream { relay(stream, context) } else { leave(context) }
    }

    /// Has a request about the gateway itself answered.
    private func manage(_ context: RequestContext) async {
        guard let management else { return }
        let outcome = await management.answer(
            ManagementCall(
                exchange: context.exchange, requestID: context.requestID, principal: context.principal))
        context.status = outcome.status
        context.rejection = outcome.rejection
    }

    private func enter(_ exchange: DownstreamExchange) -> RequestContext {
        let place = freePlaces.popLast() ?? active.count
        if place == active.count { active.append(nil) }
        let context = RequestContext(
            exchange, snapshot: snapshot, requestID: requestIDs.id(for: exchange.head), place: place)
        context.metrics = metrics
        active[place] = context
        if let tracing = snapshot.tracing { context.trace = tracing.begin(exchange.head.fields, using: &traceIDs) }
        return context
    }

    /// To be called exactly once on every way out.
    private func leave(_ context: RequestContext) {
        active[context.place] = nil
        freePlaces.append(context.place)
        gauge.leave()
        forwarding.books.conclude(&context.attempt, .cancelled, context)
        context.slot?.release(at: loop.now)
        context.keptSlot?.release(at: loop.now)
        context.abandonedLead?.end()
        if context.cacheTurn != nil { Caching.conclude(context, caching, tape: tape) }
        if context.idempotentTurn != nil { Idempotency.conclude(context, caching) }
        // One end for all who tell of it.
        let end = EventLoop.readClock()
        settlement.settle(context, at: end)
        metrics.note(context, at: end)
        if context.isTraced { tracer.note(context, at: end, tape: tape) }
        for hold in context.limitsToTell { limiting.shared.tell(hold) }
        StreamEnd.count(context)
        context.rescue = nil
    }

    private func reject(_ context: RequestContext, _ rejection: Rejection) {
        if Degrading.answer(rejection, context, caching, tape: tape) {
            context.rejection = rejection
            return
        }
        if context.tellVerbatim() { return }
        context.rejection = rejection
        if context.isInStream {
            StreamEnd.fail(context, rejection)
        } else if context.exchange.isHeadSent {
            context.exchange.abort()
        } else {
            context.status = rejection.status
            ErrorReply.send(rejection, to: context)
        }
    }

    /// Relays a stream without the task that began it: what a task keeps while it waits is most of what a silent stream costs.
    private func relay(_ stream: any RelayedStream, _ context: RequestContext) {
        if context.attempt.permit?.isProbe == true {
            context.onContentBegins = { [unowned context, books = forwarding.books] in books.answerBegan(context) }
        }
        stream.start { [self] failure in
            context.stream = nil
            do throws(UpstreamError) {
                context.onContentBegins = nil
                defer { stream.stop() }
                if let failure { throw failure }
                try stream.end()
                forwarding.books.conclude(
                    &context.attempt, context.outcome == .providerError ? .serverError : nil, context)
            } catch {
                if forwarding.mayTryAgain(after: error, context) || Rescue.follows(error, context, tape: tape) {
                    return loop.spawn { [self] in await resume(context) }
                }
                reject(context, Rescue.cause(forwarding.lastWord(error, context), context))
            }
            leave(context)
        }
    }

    /// Goes on with an exchange whose stream failed before anything of it had gone out, or is to be rescued.
    private func resume(_ context: RequestContext) async {
        while true {
            do throws(Rejection) {
                try await forwarding.proceed(context)
            } catch {
                if Rescue.follows(error, context) { continue }
                reject(context, Rescue.cause(error, context))
            }
            break
        }
        if let stream = context.stream { relay(stream, context) } else { leave(context) }
    }

    /// Ends what is under way, with an honest error: the process could not wait any longer.
    package func cancelAll() {
        for context in active {
            context?.cancelUpstream(UpstreamError(.shutdown, "Sluice is shutting down"))
        }
    }

    /// Puts another configuration in force for new exchanges; pools of endpoints that are gone are drained.
    package func adopt(_ snapshot: ConfigSnapshot) {
        self.snapshot = snapshot
        pools.keep(only: snapshot.providers.values.map(\.endpoint))
        hints.adopt(snapshot)
        if snapshot.redis == redis?.settings { return }
        redis?.close()
        redis = connectRedis(snapshot)
        caching.adopt(redis)
        hints.adopt(redis)
    }

    /// Closes what is kept open for exchanges, when there are none any more.
    package func close() {
        redis?.close()
        redis = nil
        caching.adopt(nil)
        hints.adopt(nil)
    }
}
