internal import SluiceConfig
package import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet
package import SluicePolicy
internal import SluiceProviders
internal import SluiceUpstream

/// What the process learns from attempts: each that begins ends here, once.
struct AttemptBooks {
    let log: BreakerLog
    let hints: HintChannel
    let metrics: ExchangeMetrics

    /// Notes how an attempt ended.
    ///
    /// - Parameter kind: why it failed; `nil` if it did not.
    func conclude(_ attempt: inout Attempt, _ kind: FailureClass?, _ context: RequestContext) {
        guard attempt.isUnderWay, let target = attempt.target else { return }
        attempt.isUnderWay = false
        if kind != nil { context.settleFailed(attempt) }
        let now = context.exchange.loop.now
        attempt.slots.release(at: now)
        let speaksAgainst = kind.map { Self.speaksAgainst($0, attempt, context, now) } ?? false
        let breakers = context.snapshot.recovery.breakers
        let outcome = breakers == nil ? nil : attempt.permit.map { Self.outcome(kind, attempt, $0, speaksAgainst) }
        metrics.note(attempt, kind, outcome, context, at: now)
        let latency = attempt.latency
        target.load.end(latency: latency, Self.load(kind, speaksAgainst), isStream: context.isStream, at: now)
        if kind == nil, context.snapshot.recovery.hedging != nil, let latency { target.health.latency.note(latency) }
        guard let permit = attempt.permit, let outcome, let breakers else { return }
        attempt.permit = nil
        if let transition = target.health.breaker.record(outcome, permit, breakers, at: now) {
            log.note(transition, target, because: kind)
            if transition.to == .open {
                context.note(.breakerOpened(provider: target.id.provider, model: target.id.model))
            }
            hints.tell(transition, target)
        }
    }

    /// What an attempt says of its target.
    private static func outcome(
        _ kind: FailureClass?, _ attempt: borrowing Attempt, _ permit: CircuitBreaker.Permit, _ speaksAgainst: Bool
    ) -> CircuitBreaker.Outcome {
        if kind == nil { return .success(took: attempt.latency ?? .zero) }
        if speaksAgainst { return .failure }
        // Only what the target has answered: a request that was refused here proves nothing.
        let isProof = permit.isProbe && kind?.provesTargetAlive == true && attempt.upstreamStatus != nil
        return isProof ? .success(took: .zero) : .neutral
    }

    /// The answer of the context's attempt has begun to go out. A stream may last for minutes: a breaker that waits for two of them
    /// to end would keep everybody else away from a target that is well.
    func answerBegan(_ context: RequestContext) {
        guard var permit = context.attempt.permit, let target = context.attempt.target,
            let breakers = context.snapshot.recovery.breakers
        else { return }
        let transition = target.health.breaker.answerBegan(
            took: context.attempt.latency ?? .zero, &permit, breakers, at: context.exchange.loop.now)
        context.attempt.permit = permit
        if let transition {
            log.note(transition, target)
            hints.tell(transition, target)
        }
    }

    /// Who balances load goes round also what limits and keys keep it from.
    private static func load(_ kind: FailureClass?, _ speaksAgainst: Bool) -> TargetLoad.Outcome {
        switch kind {
        case nil: .success
        case .rateLimited, .quota, .keyRefused, .forbidden, .transient, .token: .failure
        default: speaksAgainst ? .failure : .neutral
        }
    }

    /// A target that has used up the time of an exchange that went to it alone is too slow, whatever limit told.
    private static func speaksAgainst(
        _ kind: FailureClass, _ attempt: Attempt, _ context: RequestContext, _ now: Instant
    ) -> Bool {
        if kind != .deadline { return kind.speaksAgainstTarget }
        let total = context.plan.route?.timeouts.total ?? context.snapshot.timeouts.total
        return (now - attempt.startedAt) * 2 >= total
    }
}

/// A line in the log for every time that a breaker opens, tries or closes.
package struct BreakerLog: Sendable {
    private let queue: LogQueue

    package init(_ queue: LogQueue) { self.queue = queue }

    /// - Parameter kind: the failure that was one too many.
    package func note(
        _ transition: CircuitBreaker.Transition, _ target: TargetState, because kind: FailureClass? = nil
    ) {
        switch transition.to {
        case .open: if let wait = transition.wait { target.close(until: EventLoop.readClock() + wait) }
        case .halfOpen, .closed: target.open()
        }
        let level: LogLevel = transition.to == .open ? .warn : .info
        queue.event(level, Self.message(transition.to)) { line in
            line.field("gen_ai.provider.name", target.id.provider)
            line.field("sluice.upstream.model", target.id.model)
            line.field("event.reason", transition.reason.rawValue)
            if let kind { line.field("sluice.failure", kind.rawValue) }
            if let wait = transition.wait { line.field("sluice.breaker.open_ms", milliseconds: wait) }
        }
    }

    private static func message(_ phase: CircuitBreaker.Phase) -> StaticString {
        switch phase {
        case .open: "breaker opened"
        case .halfOpen: "breaker half-open"
        case .closed: "breaker closed"
        }
    }
}
