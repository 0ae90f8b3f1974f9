internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders
internal import SluiceUpstream

/// A second attempt beside one whose head is late. The faster head wins: for a stream too, where content may still be far away.
extension Forwarding {
    /// How long the attempt that has just been sent is given before a second one begins; `nil` for none.
    func hedgeDelay(_ context: RequestContext) -> Duration? {
        guard let hedging = context.snapshot.recovery.hedging, context.rival == nil, context.tried.isEmpty,
            let target = context.attempt.target
        else { return nil }
        let now = context.exchange.loop.now
        let recovery = context.snapshot.recovery
        var situation = HedgePolicy.Situation()
        // What the request says is looked at when the head is late, which few are.
        situation.isHarmless =
            context.isSafeToRepeat && context.snapshot.recovery.retries.afterSent && context.operation != .models
        situation.attemptsLeft = recovery.retries.attemptsMax - context.attempts
        for target in context.plan.targets {
            if target.state.health.breaker.phase != .closed { situation.hasTrouble = true }
            let closures = target.state.health.closures
            if !closures.isEmpty, !closures.current(at: now).isEmpty { situation.isLimited = true }
        }
        situation.budgetLeft = target.health.repeats.left(
            ratio: recovery.retries.budgetRatio, perSecond: recovery.retries.budgetPerSecond, at: now)
        situation.latency = target.health.latency.quantile(hedging.quantile)
        situation.timeLeft = context.timeLeft
        return HedgePolicy.delay(situation, hedging)
    }

    /// Whether asking twice has no effect but its price: nothing is kept or executed at the provider's (theme 3.28).
    private func isHarmlessTwice(_ context: RequestContext) -> Bool {
        guard let request = context.request, case .json(let body) = request.body else { return false }
        context.load(request, on: tape)
        let root = tape.root(over: body.span)
        var members = root.members
        while let member = members.next() {
            let tells =
                member.isNamed("conversation") || member.isNamed("background") || member.isNamed("container")
                || member.isNamed("mcp_servers")
            if tells, !member.value.isNull, member.value.bool != false { return false }
        }
        var tools = root.elements(of: "tools")
        while let tool = tools.next() {
            // Functions are the application's own to execute; Anthropic's have no type, or `custom`.
            guard let type = tool["type"] else { continue }
            if !type.equals("function"), !type.equals("custom") { return false }
        }
        return true
    }

    /// Waits for the head of the context's attempt; if it is late, a second attempt runs against it.
    ///
    /// The context's attempt is the winner afterwards. The loser is cancelled at once, and both are in the books.
    func headOfTheFaster(after delay: Duration, _ context: RequestContext) async throws(UpstreamError) -> ResponseHead {
        guard let first = context.attempt.upstream else { throw UpstreamError(.cancelled, "nothing was sent") }
        // Most are not late: nothing runs against them.
        if let head = try await first.responseHead(within: delay) {
            context.attempt.headAt = context.exchange.loop.now
            return head
        }
        guard isHarmlessTwice(context) else {
            let head = try await first.responseHead()
            context.attempt.headAt = context.exchange.loop.now
            return head
        }
        let race = HeadRace(on: context.exchange.loop)
        race.watch(first, as: .first)
        var position = context.plan.position
        if context.ending == nil { position = await startRival(race, context) }
        await race.decision()
        defer { context.rival = nil }
        guard var loser = context.rival else { return try take(race.first, context) }
        let isSecondBetter = race.winner == .second
        books.metrics.noteHedge(isSecondBetter ? "won" : "lost")
        if isSecondBetter { swap(&loser, &context.attempt) }
        finish(&loser, isSecondBetter ? race.first : race.second, context)
        context.unsupported = context.attempt.routed?.unsupported ?? context.snapshot.unsupported
        // If neither did well, what follows goes on behind both.
        if isSecondBetter || race.hasFailed { context.plan.position = position }
        return try take(isSecondBetter ? race.second : race.first, context)
    }

    private func take(
        _ result: Result<ResponseHead, UpstreamError>?, _ context: RequestContext
    ) throws(UpstreamError) -> ResponseHead {
        guard let result else { throw UpstreamError(.cancelled, "the race has no winner") }
        let head = try result.get()
        context.attempt.headAt = context.exchange.loop.now
        return head
    }

    /// Books the attempt that was not needed.
    private func finish(
        _ loser: inout Attempt, _ result: Result<ResponseHead, UpstreamError>?, _ context: RequestContext
    ) {
        var kind = FailureClass.outrun
        switch result {
        case nil: break
        case .failure(let error)?: kind = FailureClass(error, nil)
        case .success(let head)?:
            loser.upstreamStatus = head.status
            if head.status.code >= 400 { kind = FailureClass(head.status) }
        }
        loser.upstream?.cancel(UpstreamError(.cancelled, "another attempt was faster"))
        books.conclude(&loser, kind, context)
        context.tried.append(TriedAttempt(loser, kind, at: context.exchange.loop.now))
    }

    /// Begins a second attempt, at the next target or at the same one. If that does not succeed, the first one goes on alone.
    ///
    /// - Returns: the place of its target in the plan.
    private func startRival(_ race: HeadRace, _ context: RequestContext) async -> Int {
        let now = context.exchange.loop.now
        let position = candidates.position(after: .timeout, context) ?? context.plan.position
        guard let request = context.request, let hedging = context.snapshot.recovery.hedging,
            let health = context.attempt.target?.health,
            health.hedges.withdraw(ratio: hedging.shareMax, perSecond: 0, at: now)
        else { return context.plan.position }
        let target = context.plan.targets[position]
        let first = context.attempt
        let unsupported = context.unsupported
        let attempts = context.attempts
        context.rival = first
        var unavailable = CandidateChoice.Unavailable()
        guard candidates.begin(target, context, now, &unavailable) else {
            restore(first, nil, context)
            return context.plan.position
        }
        do {
            try await send(request, to: target, against: race, context)
        } catch {
            let kind =
                HeadRace.isGood(race.first) ? .outrun : (error as? UpstreamError).map { FailureClass($0, nil) } ?? .cancelled
            books.conclude(&context.attempt, kind, context)
            if context.attempts > attempts {
                context.tried.append(TriedAttempt(context.attempt, kind, at: context.exchange.loop.now))
            }
            context.unsupported = unsupported
            // It keeps the second attempt back, and not the request.
            context.refusingLimit = nil
            restore(first, nil, context)
            return context.plan.position
        }
        let rival = context.attempt
        restore(first, rival, context)
        if let upstream = rival.upstream { race.watch(upstream, as: .second) }
        return position
    }

    private func send(
        _ request: IncomingRequest, to target: RouteTarget, against race: HeadRace, _ context: RequestContext
    ) async throws {
        if case .json(let body) = request.body { try tape.scan(body.span) }
        if context.snapshot.rateLimits?.hasPerAttempt == true {
            try await limiting.admitAttempt(context, request, tape: tape)
        }
        chooseKey(target, context)
        try StoredResponses.check(context, target.provider)
        try RequestEditing.check(context, target.provider)
        var upstreamRequest = try await build(request, context, target.provider)
        try await sign(&upstreamRequest, context, target.provider)
        // The other's head may have come in the meantime.
        if race.first != nil { throw HeadRace.tooLate }
        context.attempts += 1
        let pool = pools.pool(for: target.provider.endpoint)
        let (prepared, deadlines) = (upstreamRequest, context.deadlines)
        context.attempt.upstream = try await race.connection(unless: { context.ending != nil }) {
            () async throws(UpstreamError) in try await pool.send(prepared, deadlines: deadlines, fresh: false)
        }
        context.attempt.sentUpstreamAt = context.exchange.loop.now
    }

    private func restore(_ first: Attempt, _ rival: Attempt?, _ context: RequestContext) {
        context.attempt = first
        context.rival = rival
    }
}

/// Two exchanges that run for their heads on one loop.
final class HeadRace {
    enum Runner { case first, second }

    static let tooLate = UpstreamError(.cancelled, "the first attempt was faster")

    private(set) var first: Result<ResponseHead, UpstreamError>?
    private(set) var second: Result<ResponseHead, UpstreamError>?
    private var connected: Result<UpstreamExchange, UpstreamError>?
    private var isConnectionWanted = true
    private var hasSecond = false
    private var signal = TaskSignal()
    private let loop: EventLoop

    init(on loop: EventLoop) { self.loop = loop }

    func watch(_ upstream: UpstreamExchange, as runner: Runner) {
        if runner == .second { hasSecond = true }
        loop.spawn { [self] in
            let result: Result<ResponseHead, UpstreamError>
            do throws(UpstreamError) {
                result = .success(try await upstream.responseHead())
            } catch {
                result = .failure(error)
            }
            switch runner {
            case .first: first = result
            case .second: second = result
            }
            signal.give()
        }
    }

    /// Waits for the second one's connection, but not while the first one's head is there to be passed on. A connection that comes
    /// too late is given back.
    ///
    /// - Parameter isOver: whether nobody wants either.
    func connection(
        unless isOver: () -> Bool, _ connect: @escaping () async throws(UpstreamError) -> UpstreamExchange
    ) async throws(UpstreamError) -> UpstreamExchange {
        loop.spawn { [self] in
            do throws(UpstreamError) {
                let upstream = try await connect()
                if !isConnectionWanted { return upstream.cancel(Self.tooLate) }
                connected = .success(upstream)
            } catch {
                connected = .failure(error)
            }
            signal.give()
        }
        while connected == nil, !Self.isGood(first), !isOver() {
            unsafe await withUnsafeContinuation { unsafe signal.wait($0) }
        }
        guard let connected else {
            isConnectionWanted = false
            throw Self.tooLate
        }
        return try connected.get()
    }

    /// Waits until one of them has a head that is no error, or neither can have one any more.
    func decision() async {
        while !isDecided { unsafe await withUnsafeContinuation { unsafe signal.wait($0) } }
    }

    private var isDecided: Bool {
        Self.isGood(first) || Self.isGood(second) || first != nil && (!hasSecond || second != nil)
    }

    /// The second one only if it is better.
    var winner: Runner {
        if Self.isGood(first) || second == nil { return .first }
        if Self.isGood(second) { return .second }
        if case .failure = first, case .success = second { return .second }
        return .first
    }

    /// Neither of them has a head that is no error.
    var hasFailed: Bool { !Self.isGood(first) && !Self.isGood(second) }

    static func isGood(_ result: Result<ResponseHead, UpstreamError>?) -> Bool {
        if case .success(let head) = result { head.status.code < 400 } else { false }
    }
}
