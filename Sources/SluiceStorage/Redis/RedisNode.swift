internal import SluiceCore
internal import Synchronization

/// What the process knows of one Redis server: its breaker and its counters. Shared by the workers' connections to it.
package final class RedisNode: Sendable {
    /// For people and metrics.
    package struct Snapshot: Sendable, Equatable {
        package var address = ""
        /// Commands are sent to it.
        package var isAvailable = false
        /// Connections that are ready.
        package var connections = 0
        package var supportsScripts = true
        /// Commands sent.
        package var calls = 0
        /// Replies that did not come in time.
        package var timeouts = 0
        /// Commands whose connection ended before their reply came.
        package var failures = 0
        /// Commands that were not sent: no connection, an open breaker, or too many under way.
        package var refused = 0
        /// Replies that were errors, scripts to be loaded and redirections apart.
        package var errors = 0
        /// Replies that came when nobody waited any more.
        package var late = 0
        /// How often the breaker has opened.
        package var opened = 0
        /// Commands that were refused since Redis' memory is full (`OOM`).
        package var full = 0
        /// The time of all replies that came in time, in microseconds, and how many by upper bound: see `latencyBounds`.
        package var latencyMicroseconds = 0
        package var latencyCounts: [Int] = []
        /// Why it was last unavailable, or what it last refused.
        package var lastError = ""
    }

    /// Upper bounds of the latency counts, in microseconds; above the last comes one more count.
    package static let latencyBounds = [100, 250, 500, 1000, 2500, 5000, 10_000]

    package let address: RedisAddress
    private let report: @Sendable (RedisEvent) -> Void
    private let open = Atomic(false)
    private let scripts = Atomic(true)
    private let connections = Atomic(0)
    /// Clients that use it: one that nobody uses any more is not shown.
    private let users = Atomic(0)
    private let calls = Atomic(0)
    private let refused = Atomic(0)
    private let state: Mutex<State>

    private struct State {
        var breaker: RedisBreaker
        var timeouts = 0
        var failures = 0
        var errors = 0
        var late = 0
        var full = 0
        var lastFull: Instant?
        var opened = 0
        var latencyMicroseconds = 0
        var latencyCounts = [Int](repeating: 0, count: RedisNode.latencyBounds.count + 1)
        var lastError = ""
    }

    init(_ address: RedisAddress, at now: Instant, report: @escaping @Sendable (RedisEvent) -> Void) {
        self.address = address
        self.report = report
        state = Mutex(State(breaker: RedisBreaker(at: now)))
    }

    // MARK: Use

    package var isOpen: Bool { open.load(ordering: .relaxed) }
    package var supportsScripts: Bool { scripts.load(ordering: .relaxed) }
    var isUsed: Bool { users.load(ordering: .relaxed) > 0 }

    func enter(_ settings: RedisBreaker.Settings) {
        users.add(1, ordering: .relaxed)
        state.withLock { $0.breaker.settings = settings }
    }

    func leave() { users.subtract(1, ordering: .relaxed) }

    func connected() { connections.add(1, ordering: .relaxed) }
    func disconnected() { connections.subtract(1, ordering: .relaxed) }

    // MARK: What happened

    func sent(_ count: Int) { calls.add(count, ordering: .relaxed) }
    func refuse() { refused.add(1, ordering: .relaxed) }

    /// What one read of a connection brought.
    struct Batch {
        /// Replies that came in time.
        var answered = 0
        var late = 0
        var errors = 0
        /// Replies that say that the server cannot serve.
        var unable = 0
        /// Replies that say that its memory is full.
        var full = 0
        var lastError = ""
        var latencyMicroseconds = 0
        var latencyCounts = InlineArray<8, Int>(repeating: 0)

        mutating func note(_ latency: Duration) {
            let microseconds = Int(latency.nanoseconds / 1000)
            answered += 1
            latencyMicroseconds += microseconds
            latencyCounts[RedisNode.latencyBounds.firstIndex { microseconds <= $0 } ?? 7] += 1
        }
    }

    func received(_ batch: Batch, at now: Instant) {
        let (change, isNewlyFull) = state.withLock { state -> (Noted?, Bool) in
            state.late += batch.late
            state.errors += batch.errors
            state.latencyMicroseconds += batch.latencyMicroseconds
            for index in 0..<8 { state.latencyCounts[index] += batch.latencyCounts[index] }
            if !batch.lastError.isEmpty { state.lastError = batch.lastError }
            if batch.answered > batch.unable { state.breaker.succeeded(batch.answered - batch.unable, at: now) }
            let isNewlyFull = batch.full > 0 && noteFull(batch.full, at: now, &state)
            return (batch.unable > 0 ? noting(&state) { $0.failed(batch.unable, at: now) } : nil, isNewlyFull)
        }
        if isNewlyFull { report(.full(address: "\(address)")) }
        tell(change, batch.lastError, at: now)
    }

    /// Replies did not come in time.
    func timedOut(_ count: Int, at now: Instant) {
        let change = state.withLock { state in
            state.timeouts += count
            state.lastError = "no reply in time"
            return noting(&state) { $0.failed(count, at: now) }
        }
        tell(change, "no reply in time", at: now)
    }

    /// A connection ended with replies outstanding: one failure, however many they were. What is made of the server is decided by
    /// whether it can be connected to.
    func lost(_ count: Int, _ reason: String, at now: Instant) {
        let change = state.withLock { state in
            state.failures += count
            state.lastError = reason
            return noting(&state) { $0.failed(1, at: now) }
        }
        tell(change, reason, at: now)
    }

    func unreachable(_ reason: String, since start: Instant, at now: Instant) {
        let change = state.withLock { state in
            state.lastError = reason
            return noting(&state) { $0.unreachable(since: start, at: now) }
        }
        tell(change, reason, at: now)
    }

    func probed(_ hasPassed: Bool, at now: Instant) {
        let change = state.withLock { state in noting(&state) { $0.probed(hasPassed, at: now) } }
        tell(change, "no reply in time", at: now)
    }

    func foundScripts(refusedBecause reason: String?) {
        let wasSupported = scripts.exchange(reason == nil, ordering: .relaxed)
        if let reason, wasSupported { report(.scriptsRefused(address: "\(address)", reason: reason)) }
    }

    /// It refused a write for want of memory. Told once for as long as that goes on.
    private func noteFull(_ count: Int, at now: Instant, _ state: inout State) -> Bool {
        defer { state.lastFull = now }
        state.full += count
        return state.lastFull.map { now - $0 > Self.fullToldAgainAfter } ?? true
    }

    private static let fullToldAgainAfter = Duration.seconds(60)

    // MARK: Changes

    private struct Noted {
        let change: RedisBreaker.Change
        let lasted: Instant
    }

    private func noting(_ state: inout State, _ step: (inout RedisBreaker) -> RedisBreaker.Change?) -> Noted? {
        let since = state.breaker.since
        guard let change = step(&state.breaker) else { return nil }
        if change == .opened { state.opened += 1 }
        open.store(change == .opened, ordering: .relaxed)
        return Noted(change: change, lasted: since)
    }

    private func tell(_ noted: Noted?, _ reason: String, at now: Instant) {
        guard let noted else { return }
        switch noted.change {
        case .opened: report(.unavailable(address: "\(address)", reason: reason))
        case .closed: report(.available(address: "\(address)", after: now - noted.lasted))
        }
    }

    package var snapshot: Snapshot {
        var snapshot = Snapshot()
        snapshot.address = "\(address)"
        snapshot.connections = connections.load(ordering: .relaxed)
        snapshot.isAvailable = !isOpen && snapshot.connections > 0
        snapshot.supportsScripts = supportsScripts
        snapshot.calls = calls.load(ordering: .relaxed)
        snapshot.refused = refused.load(ordering: .relaxed)
        state.withLock { state in
            snapshot.timeouts = state.timeouts
            snapshot.failures = state.failures
            snapshot.errors = state.errors
            snapshot.late = state.late
            snapshot.full = state.full
            snapshot.opened = state.opened
            snapshot.latencyMicroseconds = state.latencyMicroseconds
            snapshot.latencyCounts = state.latencyCounts
            snapshot.lastError = state.lastError
        }
        return snapshot
    }
}
