package import SluiceCore

/// What the process has learned of a target's health. Shared by all workers, and kept when the configuration changes.
package final class TargetHealth: Sendable {
    package let breaker: CircuitBreaker
    package let closures = KeyClosures()
    package let repeats = RetryBudget()
    package let hedges = RetryBudget()
    package let latency = LatencyDigest()

    /// - Parameter seed: of the jitter; different for each process.
    package init(seed: UInt64) { breaker = CircuitBreaker(seed: seed) }

    /// When the target takes a request again, with one of so many keys; `nil` if it does now.
    ///
    /// - Parameter breakers: `nil` for none.
    package func opening(keyCount: Int, _ breakers: BreakerSettings?, at now: Instant) -> Instant? {
        let breaker = breakers.flatMap { self.breaker.refuses(at: now, $0) }
        let closure = closures.soonestOpening(ofKeys: keyCount, at: now)
        guard let breaker else { return closure }
        return closure.map { max($0, breaker) } ?? breaker
    }

    /// Forgets everything that keeps requests away.
    package func reset() -> CircuitBreaker.Transition? {
        closures.openAll()
        return breaker.reset()
    }
}
