import Foundation
import SluiceCore
import Synchronization
import Testing

@testable import SluicePolicy

/// What holds while several workers take from the same buckets.
@Suite struct `Limits among threads` {
    private static let threads = 8
    private static let time = LimitTime(now: Instant(nanoseconds: 1_000_000_000_000), wallSeconds: 1_795_000_000)

    private func run(_ body: @escaping @Sendable (Int) -> Void) {
        DispatchQueue.concurrentPerform(iterations: Self.threads) { body($0) }
    }

    @Test func `never more than the limit pass, and no fewer`() {
        for kind in [LimitMeter.Kind.tokenBucket, .leakyBucket] {
            let limits = LimitTable()
            let set = limits.adopt(
                [LimitRule(name: "r", by: .user, kind: kind, limit: 1000, burst: 1000)], at: Self.time.now)
            guard let set else { return }
            let passed = Atomic<Int>(0)
            run { _ in
                var subject = LimitSubject()
                subject.caller.user = "u"
                for _ in 0..<1000 {
                    let hold = LimitHold(set)
                    if set.reserve(subject, LimitAmounts(), at: Self.time, into: hold) == nil {
                        passed.add(1, ordering: .relaxed)
                        hold.settle(LimitAmounts(), at: Self.time) { _, _, _ in }
                    }
                }
            }
            let count = passed.load(ordering: .relaxed)
            #expect(count == 1000, "\(kind)")
        }
    }

    @Test func `reserved and charged together are never more than the limit`() {
        let meter = LimitMeter(.tokenBucket, limit: 1_000_000, period: .seconds(86_400), isEstimated: true)
        let bucket = Bucket(BucketRow(count: 1), 0)
        let charged = Atomic<Int>(0)
        let promised = Atomic<Int>(0)
        let isOver = Atomic<Bool>(false)
        run { thread in
            var random = SplitMix64(UInt64(thread) + 1)
            for _ in 0..<5000 {
                let amount = Int.random(in: 1...60_000, using: &random)
                guard meter.take(amount, from: bucket, at: Self.time) == .taken else { continue }
                // Counted after it was granted and given up before it is returned: never more than what is really promised.
                let now = promised.add(amount, ordering: .sequentiallyConsistent).newValue
                if now + charged.load(ordering: .sequentiallyConsistent) > 1_000_000 {
                    isOver.store(true, ordering: .relaxed)
                }
                let used =
                    Int.random(in: 0...3, using: &random) == 0 ? Int.random(in: 0...min(amount, 50), using: &random) : 0
                promised.subtract(amount, ordering: .sequentiallyConsistent)
                charged.add(used, ordering: .sequentiallyConsistent)
                meter.settle(amount, used: used, of: bucket, takenAt: Self.time.now, at: Self.time)
            }
        }
        let wasOver = isOver.load(ordering: .relaxed)
        #expect(!wasOver)
        #expect(bucket.held == 0)
    }

    @Test(arguments: [
        LimitMeter.Kind.tokenBucket, .leakyBucket, .budget(.day, utcOffsetSeconds: 0), .concurrency,
    ])
    func `when all is settled the level is the sum of what was used`(kind: LimitMeter.Kind) {
        let limits = LimitTable()
        let unit: LimitUnit = kind == .concurrency ? .concurrency : .totalTokens
        let rules = [
            LimitRule(
                name: "r", by: [.user, .model], unit: unit, kind: kind, limit: 100_000_000_000, burst: 100_000_000_000)
        ]
        guard let set = limits.adopt(rules, at: Self.time.now) else { return }
        let sum = Atomic<Int>(0)
        run { thread in
            var random = SplitMix64(UInt64(thread) + 77)
            var holds: [(LimitHold, Int)] = []
            var subject = LimitSubject(model: "m")
            subject.caller.user = "u"
            for _ in 0..<4000 {
                if Bool.random(using: &random) || holds.isEmpty {
                    let hold = LimitHold(set)
                    let estimate = LimitAmounts(inputTokens: Int.random(in: 0...5000, using: &random))
                    if set.reserve(subject, estimate, at: Self.time, into: hold) != nil { continue }
                    // Some cost more than was thought, some less, and some fail.
                    holds.append(
                        (hold, [0, Int.random(in: 0...9000, using: &random)].randomElement(using: &random) ?? 0))
                } else {
                    let (hold, used) = holds.remove(at: Int.random(in: 0..<holds.count, using: &random))
                    hold.settle(LimitAmounts(outputTokens: used), at: Self.time) { _, _, _ in }
                    hold.release(at: Self.time)
                    sum.add(used, ordering: .relaxed)
                }
            }
            for (hold, used) in holds {
                hold.settle(LimitAmounts(outputTokens: used), at: Self.time) { _, _, _ in }
                sum.add(used, ordering: .relaxed)
            }
        }
        var subject = LimitSubject(model: "m")
        subject.caller.user = "u"
        let reading = set.explain(subject, LimitAmounts(), at: Self.time)[0].reading
        let used = sum.load(ordering: .relaxed)
        #expect(reading.held == 0)
        if kind == .concurrency {
            #expect(reading.used == 0)
        } else {
            // Each amount is rounded up to a nanosecond.
            #expect(
                reading.used >= used
                    && reading.used <= used + (kind == .tokenBucket || kind == .leakyBucket ? 80_000_000 : 0))
        }
    }

    @Test func `a mark of a budget is told once`() {
        let limits = LimitTable()
        let rules = [
            LimitRule(name: "b", by: .team, unit: .cost, kind: .budget(.month, utcOffsetSeconds: 0), limit: 80_000)
        ]
        guard let set = limits.adopt(rules, at: Self.time.now) else { return }
        let marks = Mutex<[Int]>([])
        run { _ in
            for _ in 0..<2000 {
                let hold = LimitHold(set)
                if set.reserve(LimitSubject(), LimitAmounts(cost: 7), at: Self.time, into: hold) != nil { continue }
                hold.settle(LimitAmounts(cost: 11), at: Self.time) { _, percent, _ in
                    marks.withLock { $0.append(percent) }
                }
            }
        }
        let told = marks.withLock { $0 }
        #expect(told == [80, 100])
    }
}
