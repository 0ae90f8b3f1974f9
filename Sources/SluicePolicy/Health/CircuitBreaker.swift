package import SluiceCore
internal import Synchronization

/// Whether a target is asked: closed while it is well, open while it is not, half-open while a few requests try it.
///
/// Shared by all workers. While it is closed and all goes well, a request costs a load before it, and a load and a count after it;
/// transitions happen under a lock. An attempt reports with the permit that it began with: what began before a transition says
/// nothing of the time after it.
package final class CircuitBreaker: Sendable {
    package enum Phase: UInt8, Sendable { case closed, open, halfOpen }

    /// Leave to make one attempt: to be given back by `record`, exactly once.
    package struct Permit: Sendable, Equatable {
        package let isProbe: Bool
        fileprivate let generation: UInt64
    }

    package enum Answer: Sendable, Equatable {
        case allowed(Permit)
        case refused(until: Instant)
    }

    package enum Outcome: Sendable {
        case success(took: Duration)
        case failure
        /// It says nothing of the target: the caller's mistake, a cancellation, a limit.
        case neutral
    }

    package enum Reason: String, Sendable {
        case failuresInRow = "failures_in_row"
        case failureRate = "failure_rate"
        case slowRate = "slow_rate"
        case probeFailed = "probe_failed"
        case probesSucceeded = "probes_succeeded"
        case waited
        /// Another process says so.
        case hint
        /// An active health probe says so.
        case healthProbe = "health_probe"
        case reset
    }

    /// What happened to the breaker, for the log.
    package struct Transition: Sendable, Equatable {
        package let from: Phase
        package let to: Phase
        package let reason: Reason
        /// How long it stays open.
        package var wait: Duration?
    }

    struct State {
        var until = Instant(nanoseconds: 0)
        /// How often it opened without a long enough quiet time in between.
        var openings = 0
        var closedAt: Instant?
        var lastWait = Duration.zero
        var reason: Reason?
        var probesOut = 0
        var probesSucceeded = 0
        /// When a probe last set out: one that never reports does not keep the breaker half-open for ever.
        var probeAt = Instant(nanoseconds: 0)
        var random: SplitMix64
    }

    /// The phase in the lowest two bits, and above it how many transitions there were.
    private let word = Atomic<UInt64>(0)
    let window = SlidingCount()
    let inRow = Atomic<Int>(0)
    /// How often it got to each phase.
    private let entries: InlineArray<3, Atomic<Int>> = InlineArray { _ in Atomic(0) }
    let state: Mutex<State>

    /// - Parameter seed: of the jitter; different for each process, so that they do not come back together.
    package init(seed: UInt64) { state = Mutex(State(random: SplitMix64(seed))) }

    package var phase: Phase { Self.phase(word.load(ordering: .relaxed)) }

    static func phase(_ word: UInt64) -> Phase { Phase(rawValue: UInt8(word & 3)) ?? .closed }

    // MARK: Before an attempt

    /// - Parameter transition: what the question led to, if to anything.
    package func ask(
        _ settings: BreakerSettings, at now: Instant, _ transition: inout Transition?
    ) -> Answer {
        let word = word.load(ordering: .relaxed)
        if word & 3 == 0 { return .allowed(Permit(isProbe: false, generation: word >> 2)) }
        return state.withLock { askUnderLock(&$0, settings, now, &transition) }
    }

    private func askUnderLock(
        _ state: inout State, _ settings: BreakerSettings, _ now: Instant, _ transition: inout Transition?
    ) -> Answer {
        switch phase {
        case .closed: return .allowed(permit(isProbe: false))
        case .open:
            if now < state.until { return .refused(until: state.until) }
            transition = move(&state, to: .halfOpen, .waited)
        case .halfOpen:
            // Nobody holds a permit for as long as the longest wait: it was lost.
            if state.probesOut > 0, now - state.probeAt > max(settings.openMax, Self.probePatience) {
                state.probesOut = 0
            }
        }
        if state.probesOut >= max(settings.probesMax, 1) { return .refused(until: now + settings.openBase) }
        state.probesOut += 1
        state.probeAt = now
        return .allowed(permit(isProbe: true))
    }

    /// Answers may take minutes.
    private static let probePatience = Duration.seconds(600)

    /// Whether a request would be let through now; nothing changes.
    package func refuses(at now: Instant, _ settings: BreakerSettings) -> Instant? {
        if word.load(ordering: .relaxed) & 3 == 0 { return nil }
        return state.withLock { state in
            switch phase {
            case .closed: nil
            case .open: now < state.until ? state.until : nil
            case .halfOpen: state.probesOut >= max(settings.probesMax, 1) ? now + settings.openBase : nil
            }
        }
    }

    private func permit(isProbe: Bool) -> Permit {
        Permit(isProbe: isProbe, generation: word.load(ordering: .relaxed) >> 2)
    }

    // MARK: After it

    package func record(
        _ outcome: Outcome, _ permit: Permit, _ settings: BreakerSettings, at now: Instant
    ) -> Transition? {
        if permit.isProbe { return recordProbe(outcome, permit, settings, now) }
        if permit.generation != word.load(ordering: .relaxed) >> 2 { return nil }
        switch outcome {
        case .neutral: return nil
        case .success(let took):
            let isSlow = settings.slow > .zero && took > settings.slow
            window.count(failed: false, slow: isSlow, window: settings.window, at: now)
            if inRow.load(ordering: .relaxed) != 0 { inRow.store(0, ordering: .relaxed) }
            return isSlow ? openIfBad(settings, now, permit) : nil
        case .failure:
            window.count(failed: true, slow: false, window: settings.window, at: now)
            inRow.add(1, ordering: .relaxed)
            return openIfBad(settings, now, permit)
        }
    }

    /// The answer to a probe has begun: that is what was to be found out, however long the rest of it takes.
    ///
    /// - Parameter permit: of the probe; afterwards, that of an attempt like any other.
    package func answerBegan(
        took: Duration, _ permit: inout Permit, _ settings: BreakerSettings, at now: Instant
    ) -> Transition? {
        if !permit.isProbe { return nil }
        let transition = recordProbe(.success(took: took), permit, settings, now)
        permit = self.permit(isProbe: false)
        return transition
    }

    private func openIfBad(_ settings: BreakerSettings, _ now: Instant, _ permit: Permit) -> Transition? {
        guard let reason = reasonToOpen(settings, now) else { return nil }
        return state.withLock { state in
            // Another one may have been quicker.
            if word.load(ordering: .relaxed) != permit.generation << 2 { return nil }
            return open(&state, reason, settings, now)
        }
    }

    private func reasonToOpen(_ settings: BreakerSettings, _ now: Instant) -> Reason? {
        if settings.failuresInRow > 0, inRow.load(ordering: .relaxed) >= settings.failuresInRow {
            return .failuresInRow
        }
        let sum = window.sum(window: settings.window, at: now)
        if sum.total < max(settings.volumeMin, 1) { return nil }
        if Double(sum.failed) >= settings.failureRate * Double(sum.total) { return .failureRate }
        return sum.slow > 0 && Double(sum.slow) >= settings.slowRate * Double(sum.total) ? .slowRate : nil
    }

    private func recordProbe(
        _ outcome: Outcome, _ permit: Permit, _ settings: BreakerSettings, _ now: Instant
    ) -> Transition? {
        state.withLock { state in
            if permit.generation != word.load(ordering: .relaxed) >> 2 { return nil }
            state.probesOut = max(0, state.probesOut - 1)
            switch outcome {
            case .neutral: return nil
            case .failure: return open(&state, .probeFailed, settings, now)
            case .success(let took):
                if settings.slow > .zero, took > settings.slow { return open(&state, .slowRate, settings, now) }
                state.probesSucceeded += 1
                if state.probesSucceeded < settings.probesMax { return nil }
                state.closedAt = now
                return move(&state, to: .closed, .probesSucceeded)
            }
        }
    }

    // MARK: Transitions, under the lock

    private func open(
        _ state: inout State, _ reason: Reason, _ settings: BreakerSettings, _ now: Instant
    ) -> Transition {
        // A target that was well for long begins anew; one that comes and goes is left alone for longer each time.
        if let closedAt = state.closedAt, now - closedAt > max(state.lastWait * 2, settings.window) {
            state.openings = 0
        }
        let bound = Backoff.bound(base: settings.openBase, longest: settings.openMax, repeats: state.openings)
        let half = bound.nanoseconds / 2
        let wait = Duration.nanoseconds(half + Int64.random(in: 0...max(half, 0), using: &state.random))
        state.openings += 1
        return open(&state, until: now + wait, wait, reason)
    }

    func open(_ state: inout State, until: Instant, _ wait: Duration, _ reason: Reason) -> Transition {
        state.until = until
        state.lastWait = wait
        state.closedAt = nil
        var transition = move(&state, to: .open, reason)
        transition.wait = wait
        return transition
    }

    @discardableResult func move(_ state: inout State, to phase: Phase, _ reason: Reason) -> Transition {
        let old = word.load(ordering: .relaxed)
        state.reason = reason
        state.probesOut = 0
        state.probesSucceeded = 0
        if phase == .closed {
            window.clear()
            inRow.store(0, ordering: .relaxed)
        }
        entries[Int(phase.rawValue)].add(1, ordering: .relaxed)
        word.store((old >> 2 &+ 1) << 2 | UInt64(phase.rawValue), ordering: .relaxed)
        return Transition(from: Self.phase(old), to: phase, reason: reason)
    }

    /// How often it has got to a phase.
    package func entryCount(_ phase: Phase) -> Int { entries[Int(phase.rawValue)].load(ordering: .relaxed) }

    var transitionCount: Int { Int(truncatingIfNeeded: word.load(ordering: .relaxed) >> 2) }
}
