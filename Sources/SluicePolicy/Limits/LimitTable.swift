package import SluiceCore
internal import Synchronization

/// What has been taken from all limits, kept when the configuration changes. Shared by all workers.
package final class LimitTable: Sendable {
    private let sets = Mutex<LimitSet?>(nil)

    private let localSince = Atomic<Int64>(0)
    /// Between one word on it and the next: a Redis that comes and goes does not fill the log.
    private static let localMin: Int64 = 2_000_000_000

    package init() {}

    /// Whether limits that are shared with other processes are decided by this one alone.
    package var isLocal: Bool { localSince.load(ordering: .relaxed) != 0 }

    /// A decision was taken without Redis.
    ///
    /// - Returns: whether that is news.
    package func decidedAlone(at now: Instant) -> Bool {
        if isLocal { return false }
        return localSince.compareExchange(expected: 0, desired: max(1, now.nanoseconds), ordering: .relaxed).exchanged
    }

    /// Redis has answered.
    ///
    /// - Returns: whether that is news.
    package func decidedTogether(at now: Instant) -> Bool {
        let since = localSince.load(ordering: .relaxed)
        if since == 0 || now.nanoseconds - since < Self.localMin { return false }
        return localSince.compareExchange(expected: since, desired: 0, ordering: .relaxed).exchanged
    }

    /// The limits of a configuration that comes into force, with what is in the buckets of those that were there before: a limit
    /// goes on if its name, its unit, its algorithm and what divides it stay the same. Its bucket is then as full in terms of
    /// time: half a minute's worth of the old limit is half a minute's worth of the new one.
    ///
    /// - Returns: `nil` if there are none.
    package func adopt(_ rules: [LimitRule], at now: Instant) -> LimitSet? {
        sets.withLock { current in
            current = rules.isEmpty ? nil : LimitSet(rules, continuing: current, at: now)
            return current
        }
    }
}
