import Foundation
import SluiceCore
import SluicePolicy
import Synchronization
import TestSupport
import Testing

@Suite struct `A retry budget` {
    private static let start = Instant(nanoseconds: 1_000_000_000_000)

    @Test func `is a share of what was asked within ten seconds, and a little more`() {
        let budget = RetryBudget()
        for _ in 0..<100 { budget.deposit(at: Self.start) }
        var granted = 0
        while budget.withdraw(ratio: 0.2, perSecond: 1, at: Self.start + .seconds(5)) { granted += 1 }
        #expect(granted == 30)
        // The requests are out of the window, and the repeats are still in it.
        #expect(!budget.withdraw(ratio: 0.2, perSecond: 1, at: Self.start + .seconds(10)))
        #expect(budget.withdraw(ratio: 0.2, perSecond: 1, at: Self.start + .seconds(16)))
    }

    @Test func `never gives more than its share, however requests and repeats come`() {
        for seed in SplitMix64.seeds(60) {
            var random = SplitMix64(seed)
            let budget = RetryBudget()
            var now = Self.start
            var requests: [Instant] = []
            var granted: [Instant] = []
            for _ in 0..<400 {
                now = now + .milliseconds(Int.random(in: 0...200, using: &random))
                if Bool.random(using: &random) {
                    budget.deposit(at: now)
                    requests.append(now)
                } else if budget.withdraw(ratio: 0.2, perSecond: 0.5, at: now) {
                    granted.append(now)
                    // Buckets of a second: what is counted came within nine to ten seconds.
                    let asked = requests.count { now - $0 <= .seconds(10) }
                    let repeated = granted.count { now - $0 < .seconds(9) }
                    #expect(Double(repeated) <= Double(asked) * 0.2 + 5 + 0.001, "seed \(seed)")
                }
            }
        }
    }

    @Test func `is one for all workers, to the last repeat`() {
        let budget = RetryBudget()
        for _ in 0..<1000 { budget.deposit(at: Self.start) }
        let granted = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<200 where budget.withdraw(ratio: 0.2, perSecond: 0, at: Self.start) {
                granted.add(1, ordering: .relaxed)
            }
        }
        #expect(granted.load(ordering: .relaxed) == 200)
    }
}

@Suite struct `A sliding count` {
    @Test func `forgets what is older than its window, whatever comes between`() {
        for seed in SplitMix64.seeds(100) {
            var random = SplitMix64(seed)
            let count = SlidingCount()
            let window = Duration.milliseconds(Int.random(in: 100...20_000, using: &random))
            var now = Instant(nanoseconds: Int64.random(in: 0...1 << 50, using: &random))
            var events: [Instant] = []
            for _ in 0..<300 {
                now = now + window / 37 * Int.random(in: 0...5, using: &random)
                count.count(failed: true, slow: false, window: window, at: now)
                events.append(now)
                let sum = count.sum(window: window, at: now)
                #expect(sum.failed == sum.total && sum.slow == 0)
                // The oldest bucket is counted until it is reused as a whole.
                #expect(sum.total <= events.count { now - $0 <= window }, "seed \(seed)")
                #expect(sum.total >= events.count { now - $0 <= window * 9 / 10 - .nanoseconds(20) }, "seed \(seed)")
            }
        }
    }

    @Test func `takes no more than a bucket holds`() {
        let count = SlidingCount()
        let now = Instant(nanoseconds: 5)
        for _ in 0..<70_000 { count.count(failed: true, slow: true, window: .seconds(10), at: now) }
        let sum = count.sum(window: .seconds(10), at: now)
        #expect(sum.total == 65_535 && sum.failed == 65_535 && sum.slow == 65_535)
    }

    @Test func `loses nothing when threads count at once`() {
        let count = SharedCount()
        DispatchQueue.concurrentPerform(iterations: 8) { worker in
            for index in 0..<4000 {
                count.value.count(
                    failed: index % 2 == 0, slow: worker == 0, window: .seconds(10), at: Instant(nanoseconds: 1))
            }
        }
        #expect(
            count.value.sum(window: .seconds(10), at: Instant(nanoseconds: 2))
                == SlidingCount.Sum(total: 32_000, failed: 16_000, slow: 4000))
    }

    private final class SharedCount: Sendable { let value = SlidingCount() }
}
