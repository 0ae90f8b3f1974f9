internal import SluiceDownstream
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders

extension RequestContext {
    /// Who and what limits are divided by.
    func limitSubject(provider: String = "") -> LimitSubject {
        let resolved = plan.route.map(\.model) ?? ""
        let asksForRoute = snapshot.rateLimits?.parts.contains(.route) ?? false
        return LimitSubject(
            caller: caller, model: resolved.isEmpty ? model : resolved, route: asksForRoute ? "\(route)" : "",
            provider: provider)
    }

    /// The time of a decision: the turn's, which costs nothing, and the calendar's only where something depends on it.
    var limitTime: LimitTime {
        LimitTime(now: exchange.loop.now, wallSeconds: Int(EventLoop.readWallClock() / 1_000_000_000))
    }

    /// What the attempt that is over has used is remembered, and what was taken for it alone is settled.
    func settleAttempt() {
        let used = usedByAttempt
        attemptLimits?.settle(used, at: limitTime) { _, _, _ in }
        attemptLimits = nil
        limitSpent.add(used)
    }

    /// Puts what was really used in the place of what was reserved. To be called once, when the exchange is over.
    func settleLimits(marked: (LimitRule, _ percent: Int, _ values: [String]) -> Void) {
        let time = limitTime
        let used = usedByAttempt
        attemptLimits?.settle(used, at: time, marked: marked)
        var all = limitSpent
        all.add(used)
        limits?.settle(all, at: time, marked: marked)
    }

    private var usedByAttempt: LimitAmounts {
        if let usage = attempt.usage {
            return LimitAmounts(
                inputTokens: usage.inputTokens, outputTokens: usage.outputTokens,
                cost: attempt.routed?.traits.price?.micros(
                    inputTokens: usage.inputTokens, outputTokens: usage.outputTokens,
                    cachedInputTokens: usage.cachedInputTokens) ?? 0)
        }
        // Whoever leaves before the answer has come has had the provider work all the same: nobody says how much.
        if outcome == .clientGone, attempt.sentUpstreamAt != nil { return limitEstimate }
        return LimitAmounts()
    }
}
