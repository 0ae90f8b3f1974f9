package import SluiceCore
internal import Synchronization

/// What breakers learn from elsewhere than from attempts, and what they show.
extension CircuitBreaker {
    /// Another process has found the target to be bad. Only a closed breaker follows; its own experience counts for more.
    ///
    /// - Parameter wait: bounded by the longest wait of one's own.
    package func follow(openFor wait: Duration, _ settings: BreakerSettings, at now: Instant) -> Transition? {
        state.withLock { state in
            if phase != .closed || wait <= .zero { return nil }
            let bounded = min(wait, settings.openMax)
            return open(&state, until: now + bounded, bounded, .hint)
        }
    }

    /// A health probe found the target well: an open breaker does not wait any longer before requests try it.
    package func foundWell() -> Transition? {
        state.withLock { state in phase == .open ? move(&state, to: .halfOpen, .healthProbe) : nil }
    }

    /// A health probe found the target bad.
    package func foundBad(_ settings: BreakerSettings, at now: Instant) -> Transition? {
        state.withLock { state in
            phase == .closed
                ? open(&state, until: now + settings.openMax, settings.openMax, .healthProbe) : nil
        }
    }

    /// Closes it, as if nothing had ever happened.
    package func reset() -> Transition? {
        state.withLock { state in
            state.openings = 0
            state.closedAt = nil
            return phase == .closed ? nil : move(&state, to: .closed, .reset)
        }
    }

    /// What it is at, for people.
    package struct Snapshot: Sendable {
        package let phase: Phase
        /// Why it is in this phase; `nil` if it never left the first.
        package let reason: Reason?
        /// How long it stays open yet.
        package let openFor: Duration?
        package let counts: SlidingCount.Sum
        package let failuresInRow: Int
        package let transitions: Int
    }

    package func snapshot(_ settings: BreakerSettings, at now: Instant) -> Snapshot {
        let (until, reason) = state.withLock { ($0.until, $0.reason) }
        let phase = phase
        return Snapshot(
            phase: phase, reason: reason, openFor: phase == .open ? max(until - now, .zero) : nil,
            counts: window.sum(window: settings.window, at: now), failuresInRow: inRow.load(ordering: .relaxed),
            transitions: transitionCount)
    }
}
