import SluiceCore
import TestSupport
import Testing

@testable import SluicePolicy

@Suite struct `Limit meters` {
    private func bucket() -> Bucket { Bucket(BucketRow(count: 1), 0) }

    private func at(_ seconds: Double, day: Int = 0) -> LimitTime {
        LimitTime(
            now: Instant(nanoseconds: 1_000_000_000_000 + Int64(seconds * 1e9)),
            wallSeconds: 1_795_000_000 + day * 86_400)
    }

    /// Whether a request was refused, to be let in after about so long: what is rounded is less than a millisecond.
    private func isRefused(_ verdict: LimitMeter.Verdict, for wait: Duration) -> Bool {
        guard case .refused(let found?) = verdict else { return false }
        return abs((found - wait).nanoseconds) < 2_000_000
    }

    @Test(arguments: [1, 3, 7, 60, 1000, 999_983])
    func `a token bucket lets its burst pass at once, and then as many as come back`(limit: Int) {
        let meter = LimitMeter(.tokenBucket, limit: limit, isEstimated: false)
        let bucket = bucket()
        let count = min(limit, 2000)
        let rest = limit - count
        if rest > 0 { #expect(meter.take(rest, from: bucket, at: at(0)) == .taken) }
        for _ in 0..<count { #expect(meter.take(1, from: bucket, at: at(0)) == .taken) }
        guard case .refused(let wait?) = meter.take(1, from: bucket, at: at(0)) else {
            Issue.record("one more than \(limit)")
            return
        }
        #expect(abs(wait.nanoseconds - 60_000_000_000 / Int64(limit)) <= Int64(limit) + 1000)
        let later = at(Double(wait.nanoseconds) / 1e9)
        #expect(meter.take(1, from: bucket, at: later) == .taken)
        #expect(meter.take(1, from: bucket, at: later) != .taken)
        #expect(meter.take(limit, from: bucket, at: at(200)) == .taken)
    }

    @Test func `a leaky bucket spaces requests evenly, but for its burst`() {
        let even = LimitMeter(.leakyBucket, limit: 60, isEstimated: false)
        let bucket = bucket()
        #expect(even.take(1, from: bucket, at: at(0)) == .taken)
        #expect(isRefused(even.take(1, from: bucket, at: at(0.5)), for: .milliseconds(500)))
        #expect(even.take(1, from: bucket, at: at(1)) == .taken)
        #expect(even.take(1, from: bucket, at: at(30)) == .taken)
        #expect(isRefused(even.take(1, from: bucket, at: at(30)), for: .seconds(1)))

        let burst = LimitMeter(.leakyBucket, limit: 60, burst: 3, isEstimated: false)
        let other = self.bucket()
        for _ in 0..<3 { #expect(burst.take(1, from: other, at: at(0)) == .taken) }
        #expect(burst.take(1, from: other, at: at(0)) != .taken)
        #expect(burst.take(1, from: other, at: at(1)) == .taken)
    }

    @Test func `a leaky bucket lets a large request pass, and makes the next one wait for it`() {
        let meter = LimitMeter(.leakyBucket, limit: 1000, isEstimated: true)
        let bucket = bucket()
        #expect(meter.take(5000, from: bucket, at: at(0)) == .taken)
        #expect(isRefused(meter.take(1, from: bucket, at: at(0)), for: .seconds(300)))
        // It was less than that, and what has drained by itself does not come back twice.
        meter.settle(5000, used: 1000, of: bucket, takenAt: at(0).now, at: at(10))
        #expect(isRefused(meter.take(1, from: bucket, at: at(10)), for: .seconds(50)))
    }

    @Test func `what is reserved is held until it is settled, and only what was used counts`() {
        let meter = LimitMeter(.tokenBucket, limit: 1000, isEstimated: true)
        let bucket = bucket()
        #expect(meter.take(600, from: bucket, at: at(0)) == .taken)
        #expect(isRefused(meter.take(600, from: bucket, at: at(0)), for: .seconds(12)))
        // However long it takes: a reservation does not drain.
        #expect(meter.take(600, from: bucket, at: at(100)) != .taken)
        meter.settle(600, used: 100, of: bucket, takenAt: at(0).now, at: at(100))
        #expect(meter.read(bucket, at: at(100)) == .init(used: 100, held: 0, remaining: 900, reset: .seconds(6)))
        #expect(meter.take(900, from: bucket, at: at(100)) == .taken)
        meter.settle(900, used: 0, of: bucket, takenAt: at(100).now, at: at(100))
        #expect(meter.read(bucket, at: at(100)).remaining == 900)
        #expect(meter.take(1001, from: bucket, at: at(100)) == .tooLarge)
    }

    @Test func `more than was reserved is charged, and the next ones wait for it`() {
        let meter = LimitMeter(.tokenBucket, limit: 1000, isEstimated: true)
        let bucket = bucket()
        #expect(meter.take(10, from: bucket, at: at(0)) == .taken)
        meter.settle(10, used: 1500, of: bucket, takenAt: at(0).now, at: at(0))
        #expect(meter.take(1, from: bucket, at: at(29)) != .taken)
        #expect(meter.take(1, from: bucket, at: at(31)) == .taken)
    }

    @Test func `concurrency counts who is under way`() {
        let meter = LimitMeter(.concurrency, limit: 2, isEstimated: false)
        let bucket = bucket()
        #expect(meter.take(1, from: bucket, at: at(0)) == .taken)
        #expect(meter.take(1, from: bucket, at: at(0)) == .taken)
        #expect(meter.take(1, from: bucket, at: at(0)) == .refused(wait: nil))
        meter.settle(1, used: 0, of: bucket, takenAt: at(0).now, at: at(1))
        #expect(meter.take(1, from: bucket, at: at(1)) == .taken)
    }

    @Test func `a budget is for its day, and begins anew`() {
        let meter = LimitMeter(.budget(.day, utcOffsetSeconds: 0), limit: 100, isEstimated: true)
        let bucket = bucket()
        #expect(meter.take(60, from: bucket, at: at(0)) == .taken)
        meter.settle(60, used: 70, of: bucket, takenAt: at(0).now, at: at(0))
        guard case .refused(let wait?) = meter.take(40, from: bucket, at: at(0)) else {
            Issue.record("over the budget")
            return
        }
        #expect(wait == .seconds(86_400 - 1_795_000_000 % 86_400))
        #expect(meter.take(30, from: bucket, at: at(0)) == .taken)
        // Under way over midnight: it is spent on the day on which it ended.
        meter.settle(30, used: 30, of: bucket, takenAt: at(0).now, at: at(0, day: 1))
        #expect(meter.read(bucket, at: at(0, day: 1)).used == 30)
        #expect(meter.take(70, from: bucket, at: at(0, day: 1)) == .taken)
        #expect(meter.take(1, from: bucket, at: at(0, day: 1)) != .taken)
    }

    @Test func `months are those of the calendar, where the budget is`() {
        let december31 =
            CivilDate(year: 2026, month: 12, day: 31, hour: 22, minute: 0, second: 0)?.secondsSince1970 ?? 0
        #expect(BudgetPeriod.month.number(at: december31, utcOffsetSeconds: 0) == 56 * 12 + 11)
        #expect(BudgetPeriod.month.number(at: december31, utcOffsetSeconds: 8 * 3600) == 57 * 12)
        #expect(BudgetPeriod.month.secondsLeft(at: december31, utcOffsetSeconds: 0) == 7200)
        #expect(BudgetPeriod.month.secondsLeft(at: december31, utcOffsetSeconds: 8 * 3600) == 31 * 86_400 - 6 * 3600)
        #expect(BudgetPeriod.day.secondsLeft(at: december31, utcOffsetSeconds: -3600) == 3 * 3600)
    }

    @Test func `numbers at the edge of what is allowed do not trap`() {
        let amounts = [0, 1, 1000, LimitAmounts.amountMax]
        for kind in [
            LimitMeter.Kind.tokenBucket, .leakyBucket, .concurrency, .budget(.month, utcOffsetSeconds: -43_200),
        ] {
            for limit in [1, LimitAmounts.amountMax] {
                for period in [Duration.milliseconds(1), .seconds(31 * 86_400)] {
                    let meter = LimitMeter(kind, limit: limit, period: period, isEstimated: true)
                    let bucket = bucket()
                    for amount in amounts {
                        for used in amounts {
                            if meter.take(amount, from: bucket, at: at(0)) == .taken {
                                meter.settle(amount, used: used, of: bucket, takenAt: at(0).now, at: at(0))
                            }
                        }
                    }
                    #expect(bucket.held == 0)
                    #expect(meter.read(bucket, at: at(0)).remaining >= 0)
                }
            }
        }
    }

    @Test func `estimates that are too high never make a bucket emptier than what was used`() {
        // Against a bucket that knew from the start what would be used.
        for seed in SplitMix64.seeds(200) {
            var random = SplitMix64(seed)
            let meter = LimitMeter(.leakyBucket, limit: 1000, burst: 1000, isEstimated: true)
            let (real, estimated) = (bucket(), bucket())
            var underWay: [(taken: Int, used: Int, at: Double)] = []
            var now = 0.0
            for _ in 0..<60 {
                now += Double.random(in: 0...4, using: &random)
                if Bool.random(using: &random) || underWay.isEmpty {
                    let taken = Int.random(in: 1...300, using: &random)
                    let used = Int.random(in: 0...taken, using: &random)
                    guard meter.take(taken, from: estimated, at: at(now)) == .taken else { continue }
                    #expect(meter.take(used, from: real, at: at(now)) == .taken, "seed \(seed)")
                    underWay.append((taken, used, now))
                } else {
                    let one = underWay.remove(at: Int.random(in: 0..<underWay.count, using: &random))
                    meter.settle(one.taken, used: one.used, of: estimated, takenAt: at(one.at).now, at: at(now))
                }
                let (a, b) = (max(estimated.level, at(now).now.nanoseconds), max(real.level, at(now).now.nanoseconds))
                #expect(a >= b - 1000, "seed \(seed)")
            }
        }
    }
}
