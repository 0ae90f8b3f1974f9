internal import SluiceCore
internal import SluiceDownstream
internal import SluiceJSON
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders

/// Takes from the limits what a request is going to need, or refuses it. One a worker.
///
/// Limits of this process are one look each; of limits that are shared with others most requests use what was taken in advance, and
/// wait for Redis only where that is not enough, and no longer than it may take.
final class Limiting {
    let shared: SharedLimits
    private let loop: EventLoop

    init(loop: EventLoop, log: LogQueue) {
        self.loop = loop
        shared = SharedLimits(loop: loop, log: log)
    }

    /// - Parameter tape: holds the request's document, if it is JSON, and does so again afterwards.
    func admit(_ context: RequestContext, _ request: IncomingRequest, tape: JSONTape) async throws(Rejection) {
        guard let set = context.snapshot.rateLimits else { return }
        if set.countsTokens { context.limitEstimate = LimitEstimate.amounts(request, context, tape: tape) }
        let subject = context.limitSubject()
        let hold = LimitHold(set)
        context.limits = hold
        if !set.hasShared { return try reserve(subject, hold, isAttempt: false, context) }
        try await reserveShared(subject, hold, isAttempt: false, context)
        context.load(request, on: tape)
    }

    /// Takes what depends on the provider that is asked now. As `admit` has it with the tape.
    func admitAttempt(_ context: RequestContext, _ request: IncomingRequest, tape: JSONTape) async throws(Rejection) {
        guard let set = context.snapshot.rateLimits, let provider = context.attempt.provider else { return }
        let hold = LimitHold(set)
        context.attempt.limits = hold
        let subject = context.limitSubject(provider: provider.name)
        if !set.hasShared { return try reserve(subject, hold, isAttempt: true, context) }
        try await reserveShared(subject, hold, isAttempt: true, context)
        context.load(request, on: tape)
    }

    private func reserve(
        _ subject: LimitSubject, _ hold: LimitHold, isAttempt: Bool, _ context: RequestContext
    ) throws(Rejection) {
        let refusal = hold.set.reserve(
            subject, context.limitEstimate, isAttempt: isAttempt, at: context.limitTime, into: hold)
        if let refusal { throw rejection(refusal, context) }
    }

    private func rejection(_ refusal: LimitRefusal, _ context: RequestContext) -> Rejection {
        context.refusingLimit = refusal.rule.name
        return Rejection(refusal, context.limitEstimate)
    }

    // MARK: Shared

    private func reserveShared(
        _ subject: LimitSubject, _ hold: LimitHold, isAttempt: Bool, _ context: RequestContext
    ) async throws(Rejection) {
        for place in hold.set.unknownBudgets(subject, at: context.limitTime) { await shared.learn(place) }
        try reserve(subject, hold, isAttempt: isAttempt, context)
        hold.forEachSharedBudget(shared.sync)
        for position in hold.undecided {
            guard let refusal = await decide(position, hold, context) else { continue }
            hold.release(at: context.limitTime)
            shared.tell(hold)
            throw rejection(refusal, context)
        }
    }

    private func decide(_ position: Int, _ hold: LimitHold, _ context: RequestContext) async -> LimitRefusal? {
        let limits = context.snapshot.lasting.limits
        let place = hold.place(position)
        switch hold.claim(position, at: loop.now) {
        case .taken(let renewal):
            if let renewal { shared.renew(place, renewal) }
            return nil
        case .refused(let wait):
            return LimitRefusal(rule: place.rule, wait: wait)
        case .ask(let question):
            if let reply = await shared.lease(place, question) {
                shared.note(isLocal: false, limits)
                return hold.answered(position, reply, to: question, at: loop.now)
            }
            place.failed(question)
            shared.note(isLocal: true, limits)
            return hold.standIn(position, at: context.limitTime)
        }
    }
}
