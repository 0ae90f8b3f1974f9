/// When a request that is slow to be answered is asked a second time, elsewhere, beside the first.
package struct HedgeSettings: Sendable, Equatable {
    /// The second attempt begins when the first has taken longer than this share of the target's recent calls …
    package var quantile = 0.95
    /// … but not sooner …
    package var delayMin = Duration.milliseconds(500)
    /// … and not later: also the delay as long as too few calls are known.
    package var delayMax = Duration.seconds(10)
    /// Of all requests to a target.
    package var shareMax = 0.05

    package init() {}
}

/// Decides whether and when a second attempt begins.
package enum HedgePolicy {
    /// How things stand with the targets that the request may go to.
    package struct Situation: Sendable {
        /// Asking twice has no effect but its price, and nothing is executed on the provider's side.
        package var isHarmless = false
        /// Attempts that the request may still make, the hedge included.
        package var attemptsLeft = 0
        /// Some breaker of the plan is not closed.
        package var hasTrouble = false
        /// Some key of the plan is closed: a limit is near.
        package var isLimited = false
        /// Repeats that the target's budget has room for.
        package var budgetLeft = 0.0
        package var latency: Duration?
        package var timeLeft = Duration.zero

        package init() {}
    }

    /// - Returns: how long the first attempt is given; `nil` for no second one.
    package static func delay(_ situation: Situation, _ settings: HedgeSettings) -> Duration? {
        if !situation.isHarmless || situation.attemptsLeft < 1 || situation.hasTrouble || situation.isLimited {
            return nil
        }
        if situation.budgetLeft < 1 { return nil }
        let delay = max(min(situation.latency ?? settings.delayMax, settings.delayMax), settings.delayMin)
        return delay < situation.timeLeft ? delay : nil
    }
}
