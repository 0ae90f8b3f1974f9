package import SluiceCore

/// Whether a Redis server is left alone: a decision only, it reads no clock and counts what it is told.
///
/// It opens on consecutive failures, on a rate of failures, and at once when no connection can be made; while it is open nothing is
/// sent but probes, and several of them in a row close it.
package struct RedisBreaker: Sendable {
    package struct Settings: Sendable, Equatable {
        /// Consecutive failures that open it.
        package var failuresMax = 5
        /// The share of failures that opens it, in percent, of at least `callsMin` calls in one to two windows.
        package var failurePercentMax = 50
        package var callsMin = 20
        /// Consecutive probes that close it.
        package var probesToClose = 2
        /// The time from one probe to the next, on average.
        package var probeEvery = Duration.milliseconds(100)

        package init() {}
    }

    package enum Change: Sendable, Equatable { case opened, closed }

    private enum State: Equatable {
        case closed
        case open(probesPassed: Int)
    }

    package var settings: Settings
    private var state = State.closed
    /// When the state last changed.
    package private(set) var since: Instant
    private var consecutiveFailures = 0
    private var current = Window()
    private var previous = Window()
    private var windowStart: Instant
    private var lastSuccess: Instant

    private struct Window {
        var calls = 0
        var failures = 0
    }

    /// How long a window of the failure rate is.
    private static let window = Duration.seconds(1)

    package init(_ settings: Settings = Settings(), at now: Instant) {
        self.settings = settings
        since = now
        windowStart = now
        lastSuccess = now
    }

    package var isOpen: Bool { state != .closed }

    /// Some replies came in time.
    package mutating func succeeded(_ count: Int, at now: Instant) {
        lastSuccess = now
        consecutiveFailures = 0
        turn(now)
        current.calls += count
    }

    /// Some replies did not come in time, or say that the server cannot serve.
    package mutating func failed(_ count: Int, at now: Instant) -> Change? {
        consecutiveFailures += count
        turn(now)
        current.calls += count
        current.failures += count
        if isOpen { return nil }
        let calls = current.calls + previous.calls
        let failures = current.failures + previous.failures
        let isOverRate = calls >= settings.callsMin && failures * 100 >= calls * settings.failurePercentMax
        return consecutiveFailures >= settings.failuresMax || isOverRate ? open(now) : nil
    }

    /// No connection could be made.
    ///
    /// - Parameter start: when it was tried: what has worked since says more.
    package mutating func unreachable(since start: Instant, at now: Instant) -> Change? {
        if case .open = state { state = .open(probesPassed: 0) }
        return isOpen || lastSuccess > start ? nil : open(now)
    }

    package mutating func probed(_ hasPassed: Bool, at now: Instant) -> Change? {
        if hasPassed { lastSuccess = now }
        guard case .open(let passed) = state else { return hasPassed ? nil : failed(1, at: now) }
        guard hasPassed else {
            state = .open(probesPassed: 0)
            return nil
        }
        if passed + 1 < settings.probesToClose {
            state = .open(probesPassed: passed + 1)
            return nil
        }
        state = .closed
        since = now
        consecutiveFailures = 0
        current = Window()
        previous = Window()
        return .closed
    }

    private mutating func open(_ now: Instant) -> Change {
        state = .open(probesPassed: 0)
        since = now
        return .opened
    }

    private mutating func turn(_ now: Instant) {
        let age = now - windowStart
        if age < Self.window { return }
        previous = age < Self.window * 2 ? current : Window()
        current = Window()
        windowStart = now
    }
}
