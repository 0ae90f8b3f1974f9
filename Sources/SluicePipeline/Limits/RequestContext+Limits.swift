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
        LimitTime(now: exchange.loop.now, wallSeconds: exchange.loop.wallSeconds)
    }

    /// Puts what was really used in the place of what was reserved. To be called once, when the exchange is over.
    func settleLimits(marked: (LimitRule, _ percent: Int, _ values: [String]) -> Void) {
        guard let limits else { return }
        let used = usedByAttempt
        attempt.limits?.settle(used, at: limitTime, marked: marked)
        limitSpent.add(used)
        limits.settle(limitSpent, at: limitTime, marked: marked)
        if limits.set.hasShared { limitsToTell += [limits, attempt.limits].compactMap(\.self) }
        for mark in limitMarks { marked(mark.rule, mark.percent, mark.values) }
    }

    /// Another attempt begins: what the one before it has used is remembered. One that goes on beside it is not over.
    func noteUsedByAttempt() {
        if attempt.isUnderWay { return }
        limitSpent.add(usedByAttempt)
        // What is told of a stream that is being rescued is the sum of its parts.
        limitCounted = rescue?.spent
    }

    /// An attempt came to nothing: what was taken for it alone is settled.
    func settleFailed(_ attempt: Attempt) {
        guard let hold = attempt.limits else { return }
        hold.settle(used(attempt.usage, attempt.routed, wasSent: attempt.sentUpstreamAt != nil), at: limitTime) {
            limitMarks.append(LimitMark(rule: $0, percent: $1, values: $2))
        }
        if hold.set.hasShared { limitsToTell.append(hold) }
    }

    private var usedByAttempt: LimitAmounts {
        used(attempt.usage, attempt.routed, wasSent: attempt.sentUpstreamAt != nil)
    }

    private func used(_ usage: Usage?, _ target: RouteTarget?, wasSent: Bool) -> LimitAmounts {
        if let usage {
            let input = usage.inputTokens - (limitCounted?.inputTokens ?? 0)
            let output = usage.outputTokens - (limitCounted?.outputTokens ?? 0)
            let cached = usage.cachedInputTokens - (limitCounted?.cachedInputTokens ?? 0)
            return LimitAmounts(
                inputTokens: input, outputTokens: output,
                cost: target?.traits.price?.micros(
                    inputTokens: input, outputTokens: output, cachedInputTokens: cached) ?? 0)
        }
        // Whoever leaves before the answer has come has had the provider work all the same: nobody says how much.
        if exchange.isAbandoned, wasSent { return limitEstimate }
        return LimitAmounts()
    }
}

/// A budget of an attempt has reached a mark: told when the exchange is over.
struct LimitMark {
    let rule: LimitRule
    let percent: Int
    let values: [String]
}
