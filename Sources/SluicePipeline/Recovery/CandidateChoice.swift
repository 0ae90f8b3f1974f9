internal import SluiceCore
internal import SluiceDownstream
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders

/// Finds the next target of a plan that takes a request: its breaker lets it through, and one of its keys is open.
struct CandidateChoice {
    let log: BreakerLog

    /// Why nobody can be asked now.
    struct Unavailable {
        /// When the first of those who closed themselves can be asked again.
        var opening: Instant?
        /// One of them did because of a limit: 429.
        var isLimited = false
        /// When the first breaker lets a request through.
        var breaker: Instant?
        /// The first that has as many requests as it may have.
        var full: ConcurrencyGate?
    }

    enum Answer {
        case target(RouteTarget)
        case nobody(Unavailable)
    }

    /// Goes on from the plan's position. The target's leave is in the attempt, which has begun.
    ///
    /// One that is full gives way to those after it, and comes after the one that is asked in its place. Where a stream is being
    /// rescued nobody stands in: what is sent is meant for this one target.
    func next(_ context: RequestContext) -> Answer {
        let now = context.exchange.loop.now
        let start = context.plan.position
        var unavailable = Unavailable()
        while let target = context.plan.current {
            if begin(target, context, now, &unavailable) {
                if unavailable.full != nil { context.plan.advanceCurrent(to: start) }
                return .target(target)
            }
            if context.rescue?.step != nil { break }
            context.plan.position += 1
        }
        return .nobody(unavailable)
    }

    /// - Returns: whether an attempt at the target has begun.
    func begin(
        _ target: RouteTarget, _ context: RequestContext, _ now: Instant, _ unavailable: inout Unavailable
    ) -> Bool {
        let health = target.state.health
        if let opening = health.closures.soonestOpening(ofKeys: target.provider.keys.count, at: now) {
            unavailable.opening = unavailable.opening.map { min($0, opening) } ?? opening
            if health.closures.openingOfWhole(at: now) == nil { unavailable.isLimited = true }
            return false
        }
        var slots = AttemptSlots()
        if let gate = Queueing.enter(target, &slots, context) {
            unavailable.full = unavailable.full ?? gate
            return false
        }
        var permit: CircuitBreaker.Permit?
        if let breakers = context.snapshot.recovery.breakers {
            var transition: CircuitBreaker.Transition?
            switch health.breaker.ask(breakers, at: now, &transition) {
            case .allowed(let allowed): permit = allowed
            case .refused(let until):
                unavailable.breaker = unavailable.breaker.map { min($0, until) } ?? until
                return false
            }
            if let transition { log.note(transition, target.state) }
        }
        context.begin(target)
        context.attempt.slots = slots
        context.attempt.permit = permit
        context.attempt.isUnderWay = true
        target.state.load.begin()
        return true
    }

    /// The place of the next target that takes requests, and that a request goes to after such a failure.
    func position(after kind: FailureClass, _ context: RequestContext) -> Int? {
        guard let current = context.plan.current, kind.mayPassElsewhere else { return nil }
        let now = context.exchange.loop.now
        let recovery = context.snapshot.recovery
        for position in context.plan.targets.indices where position > context.plan.position {
            let target = context.plan.targets[position]
            if !Self.fits(target, after: kind, at: current, recovery.retries) { continue }
            let opening = target.state.health.opening(
                keyCount: target.provider.keys.count, recovery.breakers, at: now)
            if opening == nil { return position }
        }
        return nil
    }

    /// Whether a failure that has to do with the model lets a request go to that target.
    static func fits(
        _ target: RouteTarget, after kind: FailureClass, at current: RouteTarget, _ retries: RetrySettings
    ) -> Bool {
        switch kind {
        case .contextLength:
            switch retries.contextLength {
            case .never: false
            case .next: target.upstreamModel != current.upstreamModel
            case .larger: target.traits.contextTokensMax ?? 0 > current.traits.contextTokensMax ?? .max
            }
        case .contentPolicy: retries.contentPolicy == .next && target.upstreamModel != current.upstreamModel
        default: true
        }
    }
}
