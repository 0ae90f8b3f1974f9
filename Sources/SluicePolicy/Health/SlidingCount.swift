package import SluiceCore
internal import Synchronization

/// Events of the last ten buckets of time, of three kinds that are counted together, without a lock.
///
/// A bucket is one word: which bucket of time it counts (16 bits), then how many events were slow, failed, and came in all (16 bits
/// each). Counting is a load and an exchange. A bucket that is full counts no more: shares stay right to a ten-thousandth.
package struct SlidingCount: ~Copyable, Sendable {
    package struct Sum: Sendable, Equatable {
        package var total = 0
        package var failed = 0
        package var slow = 0

        package init(total: Int = 0, failed: Int = 0, slow: Int = 0) {
            self.total = total
            self.failed = failed
            self.slow = slow
        }
    }

    private static let bucketCount = 10
    private static let fieldMask: UInt64 = 0xFFFF
    private let buckets = InlineArray<10, Atomic<UInt64>> { _ in Atomic(0) }

    package init() {}

    /// - Parameter window: of all buckets together.
    package func count(failed: Bool, slow: Bool, window: Duration, at now: Instant) {
        let (slot, epoch) = Self.place(now, window)
        var found = buckets[slot].load(ordering: .relaxed)
        while true {
            let current = found >> 48 == epoch ? found : epoch << 48
            if current & Self.fieldMask == Self.fieldMask { return }
            let next = current + 1 + (failed ? 1 << 16 : 0) + (slow ? 1 << 32 : 0)
            let (isDone, original) = buckets[slot].compareExchange(
                expected: found, desired: next, ordering: .relaxed)
            if isDone { return }
            found = original
        }
    }

    package func sum(window: Duration, at now: Instant) -> Sum {
        let (_, epoch) = Self.place(now, window)
        var sum = Sum()
        for slot in 0..<Self.bucketCount {
            let word = buckets[slot].load(ordering: .relaxed)
            // How many buckets ago it was, however the 16 bits have turned.
            if (epoch &- word >> 48) & Self.fieldMask >= UInt64(Self.bucketCount) { continue }
            sum.total += Int(word & Self.fieldMask)
            sum.failed += Int(word >> 16 & Self.fieldMask)
            sum.slow += Int(word >> 32 & Self.fieldMask)
        }
        return sum
    }

    package func clear() { for slot in 0..<Self.bucketCount { buckets[slot].store(0, ordering: .relaxed) } }

    private static func place(_ now: Instant, _ window: Duration) -> (slot: Int, epoch: UInt64) {
        let width = max(window.nanoseconds / Int64(bucketCount), 1)
        let number = max(now.nanoseconds, 0) / width
        return (Int(number % Int64(bucketCount)), UInt64(number) & fieldMask)
    }
}
