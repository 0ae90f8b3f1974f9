package import SluiceCore
internal import Synchronization

/// What has been taken from all limits, kept when the configuration changes. Shared by all workers.
package final class LimitTable: Sendable {
    private let sets = Mutex<LimitSet?>(nil)

    package init() {}

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
