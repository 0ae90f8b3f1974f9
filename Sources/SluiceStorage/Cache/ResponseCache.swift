package import SluicePolicy
internal import Synchronization

/// What the process keeps of answers: outlives configurations, shared by all workers.
package final class ResponseCache: Sendable {
    /// Answers to requests.
    package let memory = MemoryCache()
    /// Replies under idempotency keys: with a budget of their own, so that neither pushes the other out.
    package let replies = MemoryCache()
    package let counters = CacheCounters()
    package let purges = PurgeMarks()

    /// Each worker's way to tell other processes.
    private let announcers = Mutex<[@Sendable (PurgeTarget, Int) -> Void]>([])

    package init() {}

    /// - Parameter announce: tells other processes what is purged, and when, if it can; called from any thread.
    package func onPurge(_ announce: @escaping @Sendable (PurgeTarget, Int) -> Void) {
        announcers.withLock { $0.append(announce) }
    }

    /// Has one worker tell the other processes, if there are any to be told.
    package func announce(_ target: PurgeTarget, at time: Int) {
        let announce = announcers.withLock { $0.first }
        announce?(target, time)
    }

    /// Forgets in this process, unless it has done so before.
    ///
    /// - Parameters:
    ///   - time: when somebody said so, in milliseconds since 1970; `now`: the same, as we have it.
    /// - Returns: how many entries went.
    @discardableResult
    package func purge(_ target: PurgeTarget, at time: Int, now: Int) -> Int {
        purges.add(target, at: time, now: now) ? memory.purge(target) + replies.purge(target) : 0
    }
}
