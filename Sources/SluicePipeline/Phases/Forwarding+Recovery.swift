internal import SluiceCore
internal import SluiceDownstream
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders
internal import SluiceUpstream

/// What comes before an attempt, and after one that failed.
extension Forwarding {
    // MARK: Before

    /// The target that is asked next, once whatever has to be waited for is over.
    func candidate(_ context: RequestContext) async throws(Rejection) -> RouteTarget {
        let wait = context.waitBeforeNext
        context.waitBeforeNext = .zero
        context.waited += wait
        await context.pause(wait)
        let start = context.plan.position
        while true {
            if let ending = context.ending { throw Rejection(ending, provider: "") }
            context.plan.position = start
            let answer = candidates.next(context)
            // It was for a target that is closed by now.
            context.keptSlot = nil
            switch answer {
            case .target(let target):
                if context.repeatsAtTarget == 0 { noteRequest(to: target, context) }
                return target
            case .nobody(let unavailable):
                context.plan.position = start
                if let gate = unavailable.full {
                    try await Queueing.wait(at: gate, context)
                    continue
                }
                if let wait = worthwhileWait(unavailable, context) {
                    context.waited += wait
                    await context.pause(wait)
                    continue
                }
                throw context.takeLastWords() ?? Unavailability.rejection(unavailable, context)
            }
        }
    }

    /// Budgets are shares of what a target is asked anyway.
    private func noteRequest(to target: RouteTarget, _ context: RequestContext) {
        let now = context.exchange.loop.now
        target.state.health.repeats.deposit(at: now)
        if context.snapshot.recovery.hedging != nil { target.state.health.hedges.deposit(at: now) }
    }

    /// How long to wait for a target that has closed itself, if that is short enough; nobody waits for a breaker.
    private func worthwhileWait(
        _ unavailable: CandidateChoice.Unavailable, _ context: RequestContext
    ) -> Duration? {
        guard let opening = unavailable.opening else { return nil }
        let retries = context.snapshot.recovery.retries
        let wait = max(opening - context.exchange.loop.now, .milliseconds(1))
        if context.waited + wait > retries.waitMax || context.timeLeft - wait < retries.attemptMin { return nil }
        // All who wait were told the same time, and would come back at the same time.
        return wait + .nanoseconds(Int64.random(in: 0...wait.nanoseconds / 4, using: &dice.random))
    }

    // MARK: After

    /// Notes what a failure says of its target and its key, and decides what comes next.
    ///
    /// - Returns: whether another attempt is to be made, which `proceed` makes. Without one the application gets `lastWord`.
    func mayTryAgain(after error: UpstreamError, _ context: RequestContext) -> Bool {
        let kind = FailureClass.of(error, context)
        context.keep(Self.rejection(error, context), telling: kind.telling)
        // Before the target is told how it ended: what it says closes it also for those who come at this moment.
        let closedFor = KeyVerdicts.close(kind, context, books.hints)
        let hasOtherKey = KeyVerdicts.offersAnother(kind, context)
        noteFailure(kind, context)
        if context.isAnswerOut || context.ending != nil { return false }
        var failure = RetryPolicy.Failure(kind, wasSent: !error.isUnprocessed && context.attempt.sentUpstreamAt != nil)
        failure.isFinal = context.attempt.fault?.isRetryable == false
        failure.closedFor = closedFor
        guard let step = step(after: failure, hasOtherKey: hasOtherKey, context) else { return false }
        switch step {
        case .giveUp: return false
        case .otherKey: break
        case .sameTarget(let wait):
            context.repeatsAtTarget += 1
            context.waitBeforeNext = wait
        case .nextTarget:
            context.repeatsAtTarget = 0
            context.plan.position = candidates.position(after: kind, context) ?? context.plan.position
        }
        context.outcome = .complete
        return true
    }

    private func noteFailure(_ kind: FailureClass, _ context: RequestContext) {
        books.conclude(&context.attempt, kind, context)
        context.tried.append(TriedAttempt(context.attempt, kind, at: context.exchange.loop.now))
    }

    private func step(
        after failure: RetryPolicy.Failure, hasOtherKey: Bool, _ context: RequestContext
    ) -> RetryPolicy.Step? {
        guard let request = context.request, let target = context.attempt.target else { return nil }
        let retries = context.snapshot.recovery.retries
        var situation = RetryPolicy.Situation()
        situation.attempts = max(context.tried.count, 1)
        situation.repeatsAtTarget = context.repeatsAtTarget
        situation.hasOtherKey = hasOtherKey
        situation.hasNextTarget = candidates.position(after: failure.kind, context) != nil
        if case .streamed = request.body { situation.isReplayable = false }
        situation.isSafeToRepeat = context.isSafeToRepeat
        situation.timeLeft = context.timeLeft
        let now = context.exchange.loop.now
        return RetryPolicy.step(after: failure, situation, retries, using: &dice.random) {
            target.health.repeats.withdraw(ratio: retries.budgetRatio, perSecond: retries.budgetPerSecond, at: now)
        }
    }

    /// Leaves a target that has no words for the request, or no place for it, if there are others to be asked.
    func goOn(
        without target: RouteTarget, _ rejection: Rejection, _ context: RequestContext
    ) throws(Rejection) {
        books.conclude(&context.attempt, .caller, context)
        context.keep(rejection, telling: context.tried.isEmpty ? FailureClass.caller.telling : 0)
        let isUnsupported = rejection.code.hasPrefix("unsupported_")
        let isRefused = context.refusingLimit != nil
        if isUnsupported || isRefused, context.plan.position + 1 < context.plan.targets.count, context.ending == nil {
            context.plan.position += 1
            context.repeatsAtTarget = 0
            context.refusingLimit = nil
            return
        }
        throw context.takeLastWords() ?? rejection
    }

    /// The end of a request that no attempt could answer: what the application is to be told.
    func lastWord(_ error: UpstreamError, _ context: RequestContext) -> Rejection {
        if context.exchange.isHeadSent || context.ending != nil
            || context.abandonedLead == nil && context.exchange.downstreamFailure != nil
        {
            return Self.rejection(error, context)
        }
        return context.takeLastWords() ?? Self.rejection(error, context)
    }

    /// What the application is told of a failure: its own, if that is where it began.
    static func rejection(_ error: UpstreamError, _ context: RequestContext) -> Rejection {
        if context.isUnwanted { return .gone }
        if context.abandonedLead == nil, let failure = context.exchange.downstreamFailure {
            return Rejection(failure, limitName: "limits.upload_bytes_max")
        }
        if error.reason == .reported, let fault = context.attempt.fault { return Rejection(fault) }
        return Rejection(error, provider: context.attempt.provider?.name ?? "")
    }
}
