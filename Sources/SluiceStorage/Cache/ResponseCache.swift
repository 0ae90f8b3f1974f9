package import SluicePolicy

/// What the process keeps of answers: outlives configurations, shared by all workers.
package final class ResponseCache: Sendable {
    /// Answers to requests.
    package let memory = MemoryCache()
    /// Replies under idempotency keys: with a budget of their own, so that neither pushes the other out.
    package let replies = MemoryCache()
    package let counters = CacheCounters()
    package let purges = PurgeMarks()

    package init() {}
}
