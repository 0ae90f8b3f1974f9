package import SluicePolicy
internal import Synchronization

/// The first level: answers in the memory of the process, within a budget of bytes. Shared by all workers; each part has a lock that is
/// held for a few lines.
package final class MemoryCache: Sendable {
    package struct Usage: Sendable, Equatable {
        package var entryCount = 0
        package var byteCount = 0
        package var evictionCount = 0
    }

    private final class Part: Sendable {
        let queues = Mutex(EntryQueues(byteCountMax: 0))
    }

    private let parts: [Part]
    private let budget = Atomic<Int>(0)
    /// A part has at least so many bytes, so that it has room for the longest entries beside others.
    private static let partByteCountMin = 8_388_608
    private static let partCountMax = 16

    /// - Parameter byteCountMax: what it may hold, in bytes; parts are made for it once.
    package init(byteCountMax: Int = 0) {
        parts = (0..<Self.partCountMax).map { _ in Part() }
        resize(to: byteCountMax)
    }

    /// Puts another budget in force; what is over it goes, and with a smaller one what is in parts that are no longer used.
    package func resize(to byteCountMax: Int) {
        if budget.exchange(byteCountMax, ordering: .relaxed) == byteCountMax { return }
        let count = Self.partCount(byteCountMax)
        for (index, part) in parts.enumerated() {
            part.queues.withLock { queues in
                queues.byteCountMax = index < count ? byteCountMax / count : 0
                queues.shrink()
            }
        }
    }

    private static func partCount(_ byteCountMax: Int) -> Int {
        var count = 1
        while count < partCountMax, byteCountMax / (2 * count) >= partByteCountMin { count *= 2 }
        return count
    }

    private func part(_ key: CacheKey) -> Part {
        let count = Self.partCount(budget.load(ordering: .relaxed))
        return parts[Int(truncatingIfNeeded: key.spread) & (count - 1)]
    }

    package func entry(_ key: CacheKey) -> CacheEntry? { part(key).queues.withLock { $0.entry(key) } }

    /// - Returns: `false` if it is too large.
    @discardableResult
    package func store(_ entry: CacheEntry, for key: CacheKey) -> Bool {
        part(key).queues.withLock { $0.store(entry, for: key) }
    }

    @discardableResult
    package func remove(_ key: CacheKey) -> Bool { part(key).queues.withLock { $0.remove(key) } }

    /// - Returns: how many went.
    package func purge(_ target: PurgeTarget) -> Int {
        parts.reduce(0) { sum, part in
            sum
                + part.queues.withLock { queues in
                    queues.removeAll { key, entry in
                        target.matches(
                            key, model: entry.labels.model, scene: entry.labels.scene, tenant: entry.labels.tenant)
                    }
                }
        }
    }

    package var byteCountMax: Int { budget.load(ordering: .relaxed) }

    package var usage: Usage {
        var usage = Usage()
        for part in parts {
            part.queues.withLock { queues in
                usage.entryCount += queues.count
                usage.byteCount += queues.byteCount
                usage.evictionCount += queues.evictionCount
            }
        }
        return usage
    }
}
