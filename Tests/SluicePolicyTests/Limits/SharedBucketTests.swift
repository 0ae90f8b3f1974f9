import SluiceCore
import TestSupport
import Testing

@testable import SluicePolicy

@Suite struct `Shared buckets` {
    private func at(_ milliseconds: Int64) -> Instant {
        Instant(nanoseconds: 1_000_000_000_000 + milliseconds * 1_000_000)
    }

    private func bucket(limit: Int, lease: Int = 10) -> SharedBucket {
        let rule = LimitRule(
            name: "r", by: .user, limit: limit, period: .seconds(60), fleet: .init(leasePercent: lease))
        return SharedBucket(of: rule, values: ["ada"])
    }

    private func reply(_ granted: Int, wait: Duration = .zero) -> LeaseReply {
        LeaseReply(granted: granted, remaining: 50, reset: .seconds(1), wait: wait)
    }

    @Test func `what was taken in advance serves the next requests, and is renewed before it is gone`() {
        let bucket = bucket(limit: 100)
        #expect(bucket.claim(1, at: at(0)) == .ask(least: 1, most: 11))
        // One at a time asks for more than it needs.
        #expect(bucket.claim(1, at: at(0)) == .ask(least: 1, most: 1))
        #expect(bucket.answered(reply(11), amount: 1, isRenewal: true, at: at(1)) == nil)
        #expect(bucket.answered(reply(1), amount: 1, isRenewal: false, at: at(1)) == nil)
        for _ in 0..<4 { #expect(bucket.claim(1, at: at(2)) == .taken(renew: 0)) }
        #expect(bucket.claim(1, at: at(2)) == .taken(renew: 5))
        #expect(bucket.claim(1, at: at(2)) == .taken(renew: 0))
        #expect(bucket.answered(reply(5), amount: nil, isRenewal: true, at: at(3)) == nil)
        for _ in 0..<3 { #expect(bucket.claim(1, at: at(4)) == .taken(renew: 0)) }
    }

    @Test func `a lease that was not used goes back to the others`() {
        let bucket = bucket(limit: 100)
        _ = bucket.claim(1, at: at(0))
        _ = bucket.answered(reply(11), amount: 1, isRenewal: true, at: at(0))
        // Ten of a hundred a minute come back in six seconds.
        #expect(bucket.claim(1, at: at(5900)) == .taken(renew: 0))
        #expect(bucket.claim(1, at: at(6100)) == .ask(least: 1, most: 11))
    }

    @Test func `a refusal is remembered for a moment`() {
        let bucket = bucket(limit: 100)
        _ = bucket.claim(1, at: at(0))
        #expect(bucket.answered(reply(0, wait: .seconds(3)), amount: 1, isRenewal: true, at: at(0)) == .seconds(3))
        #expect(bucket.claim(1, at: at(40)) == .refused(wait: .milliseconds(60)))
        #expect(bucket.claim(1, at: at(100)) == .ask(least: 1, most: 11))
    }

    @Test func `what cost less than was thought is there again, and what cost more is owed`() {
        let bucket = bucket(limit: 1000)
        _ = bucket.claim(60, at: at(0))
        _ = bucket.answered(reply(160), amount: 60, isRenewal: true, at: at(0))
        #expect(bucket.claim(90, at: at(0)) == .taken(renew: 90))
        bucket.settle(90, used: 30)
        #expect(bucket.claim(70, at: at(0)) == .taken(renew: 0))
        bucket.settle(70, used: 200)
        // 130 are owed.
        #expect(bucket.claim(10, at: at(0)) == .ask(least: 140, most: 140))
    }

    @Test func `never more than was granted is let pass`() {
        for seed in SplitMix64.seeds(300) {
            var random = SplitMix64(seed)
            let bucket = bucket(limit: 500, lease: Int.random(in: 0...50, using: &random))
            var (granted, passed, now) = (0, 0, Int64(0))
            var underWay: [Int] = []
            for _ in 0..<200 {
                now += Int64.random(in: 0...2000, using: &random)
                let amount = Int.random(in: 1...20, using: &random)
                switch bucket.claim(amount, at: at(now)) {
                case .taken(let renewal):
                    passed += amount
                    underWay.append(amount)
                    if renewal == 0 { break }
                    if Bool.random(using: &random) {
                        bucket.renewalFailed()
                    } else {
                        let part = Int.random(in: 0...renewal, using: &random)
                        granted += part
                        _ = bucket.answered(reply(part), amount: nil, isRenewal: true, at: at(now))
                    }
                case .ask(let least, let most):
                    let isThere = Bool.random(using: &random)
                    let part = isThere ? Int.random(in: least...most, using: &random) : 0
                    granted += part
                    let wait = bucket.answered(
                        reply(part, wait: .seconds(1)), amount: amount, isRenewal: most > least, at: at(now))
                    #expect((wait == nil) == isThere, "seed \(seed)")
                    if isThere {
                        passed += amount
                        underWay.append(amount)
                    }
                case .refused: break
                }
                if !underWay.isEmpty, Bool.random(using: &random) {
                    let taken = underWay.removeFirst()
                    let used = Int.random(in: 0...taken, using: &random)
                    passed -= taken - used
                    bucket.settle(taken, used: used)
                }
                #expect(passed <= granted, "seed \(seed)")
            }
        }
    }

    @Test func `what was spent of a budget is told once, however often it is sent`() {
        let rule = LimitRule(
            name: "b", unit: .cost, kind: .budget(.day, utcOffsetSeconds: 0), limit: 1000, fleet: LimitRule.Fleet())
        let bucket = SharedBucket(of: rule, values: [])
        #expect(bucket.isUnknown)
        let first = bucket.nextPush(period: 7, at: at(0))
        #expect(first == .init(period: 7, amount: 0, sequence: 1))
        #expect(bucket.nextPush(period: 7, at: at(0)) == nil)
        if let first { #expect(bucket.confirmed(first, total: 40, at: at(1)) == 40) }
        #expect(!bucket.isUnknown && bucket.nextPush(period: 7, at: at(2)) == nil)
        bucket.noteSpent(5, period: 7)
        let second = bucket.nextPush(period: 7, at: at(3))
        #expect(second == .init(period: 7, amount: 5, sequence: 2))
        bucket.pushFailed()
        bucket.noteSpent(6, period: 7)
        // The same again: Redis may have heard it.
        #expect(bucket.nextPush(period: 7, at: at(4)) == second)
        if let second { #expect(bucket.confirmed(second, total: 45, at: at(5)) == 51) }
        #expect(bucket.nextPush(period: 7, at: at(6)) == .init(period: 7, amount: 6, sequence: 3))
        bucket.pushFailed()
        // Nobody asks for yesterday.
        bucket.noteSpent(1, period: 8)
        #expect(bucket.nextPush(period: 8, at: at(7)) == .init(period: 8, amount: 1, sequence: 4))
    }

    @Test func `names do not run into one another`() {
        let rule = LimitRule(name: "r", by: [.user, .model], limit: 1, fleet: .init())
        let names = Set(
            [["a", "b"], ["a:1:b", ""], ["", "a:1:b"], ["ab", ""]].map { SharedBucket(of: rule, values: $0).name })
        #expect(names.count == 4)
    }
}
