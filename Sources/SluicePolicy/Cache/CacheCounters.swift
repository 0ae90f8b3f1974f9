internal import Synchronization

/// What the cache has done since the process began.
package final class CacheCounters: Sendable {
    package struct Snapshot: Sendable, Equatable {
        package var memoryHits = 0
        package var redisHits = 0
        package var misses = 0
        /// Answers that were no longer fresh.
        package var stale = 0
        /// Answers that another request had asked for.
        package var joined = 0
        /// Requests that are not cached, or asked not to be.
        package var bypassed = 0
        package var stored = 0
        /// Answers that are not kept: cut off, pending on tools, too long.
        package var refused = 0
        /// What Redis held and could not be read: another key, another version, damaged.
        package var unreadable = 0
    }

    private let memoryHits = Atomic<Int>(0)
    private let redisHits = Atomic<Int>(0)
    private let misses = Atomic<Int>(0)
    private let stale = Atomic<Int>(0)
    private let joined = Atomic<Int>(0)
    private let bypassed = Atomic<Int>(0)
    private let stored = Atomic<Int>(0)
    private let refused = Atomic<Int>(0)
    private let unreadable = Atomic<Int>(0)

    package init() {}

    package func hitMemory() { memoryHits.add(1, ordering: .relaxed) }
    package func hitRedis() { redisHits.add(1, ordering: .relaxed) }
    package func missed() { misses.add(1, ordering: .relaxed) }
    package func servedStale() { stale.add(1, ordering: .relaxed) }
    package func join() { joined.add(1, ordering: .relaxed) }
    package func bypass() { bypassed.add(1, ordering: .relaxed) }
    package func store() { stored.add(1, ordering: .relaxed) }
    package func refuse() { refused.add(1, ordering: .relaxed) }
    package func couldNotRead() { unreadable.add(1, ordering: .relaxed) }

    package var snapshot: Snapshot {
        Snapshot(
            memoryHits: memoryHits.load(ordering: .relaxed), redisHits: redisHits.load(ordering: .relaxed),
            misses: misses.load(ordering: .relaxed), stale: stale.load(ordering: .relaxed),
            joined: joined.load(ordering: .relaxed), bypassed: bypassed.load(ordering: .relaxed),
            stored: stored.load(ordering: .relaxed), refused: refused.load(ordering: .relaxed),
            unreadable: unreadable.load(ordering: .relaxed))
    }
}
