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

    private func ask(_ least: Int, _ most: Int, brought: Int = 0, isRenewal: Bool = true) -> SharedBucket.Claim {
        .ask(LeaseQuestion(least: least, most: most, brought: brought, isRenewal: isRenewal))
    }

    private func renewal(_ most: Int) -> SharedBucket.Claim {
        .taken(renew: LeaseQuestion(least: 1, most: most, brought: 0, isRenewal: true))
    }

    /// Asks for an amount and is given all that it asked for.
    private func obtain(_ amount: Int, _ bucket: SharedBucket, at milliseconds: Int64 = 0) -> Int {
        guard case .ask(let question) = bucket.claim(amount, at: at(milliseconds)) else { return 0 }
        _ = bucket.answered(reply(question.most), to: question, amount: amount, at: at(milliseconds))
        return question.most
    }

    @Test func `what was taken in advance serves the next requests, and is renewed before it is gone`() throws {
        let bucket = bucket(limit: 100)
        guard case .ask(let first) = bucket.claim(1, at: at(0)), case .ask(let second) = bucket.claim(1, at: at(0)) else {
            throw Unexpected()
        }
        // One at a time asks for more than it needs.
        #expect(SharedBucket.Claim.ask(first) == ask(1, 11))
        #expect(SharedBucket.Claim.ask(second) == ask(1, 1, isRenewal: false))
        #expect(bucket.answered(reply(11), to: first, amount: 1, at: at(1)) == nil)
        #expect(bucket.answered(reply(1), to: second, amount: 1, at: at(1)) == nil)
        for _ in 0..<4 { #expect(bucket.claim(1, at: at(2)) == .taken(renew: nil)) }
        guard case .taken(let renewed?) = bucket.claim(1, at: at(2)) else { throw Unexpected() }
        #expect(SharedBucket.Claim.taken(renew: renewed) == renewal(5))
        #expect(bucket.claim(1, at: at(2)) == .taken(renew: nil))
        #expect(bucket.answered(reply(5), to: renewed, amount: nil, at: at(3)) == nil)
        for _ in 0..<3 { #expect(bucket.claim(1, at: at(4)) == .taken(renew: nil)) }
    }

    private struct Unexpected: Error {}

    @Test func `a lease that was not used goes back to the others`() {
        let bucket = bucket(limit: 100)
        #expect(obtain(1, bucket) == 11)
        // Ten of a hundred a minute come back in six seconds.
        #expect(bucket.claim(1, at: at(5900)) == .taken(renew: nil))
        #expect(bucket.claim(1, at: at(6100)) == ask(1, 11))
    }

    @Test func `what is left of a lease is counted once, by however many at one time`() throws {
        let bucket = bucket(limit: 1000)
        #expect(obtain(10, bucket) == 110)
        #expect(bucket.claim(1, at: at(0)) == .taken(renew: nil))
        var asked = 0
        for _ in 0..<50 {
            guard case .ask(let question) = bucket.claim(100, at: at(1)) else { throw Unexpected() }
            asked += question.least
        }
        #expect(asked == 50 * 100 - 99)
    }

    @Test func `a refusal is remembered for a moment, by those who want as much`() throws {
        let bucket = bucket(limit: 100)
        guard case .ask(let question) = bucket.claim(5, at: at(0)) else { throw Unexpected() }
        let refused = reply(0, wait: .seconds(3))
        #expect(bucket.answered(refused, to: question, amount: 5, at: at(0)) == .seconds(3))
        #expect(bucket.claim(5, at: at(40)) == .refused(wait: .milliseconds(2960)))
        // What is not there for one may be there for another.
        guard case .ask(let small) = bucket.claim(4, at: at(40)) else { throw Unexpected() }
        #expect(bucket.answered(refused, to: small, amount: 4, at: at(40)) == .seconds(3))
        #expect(bucket.claim(4, at: at(120)) == .refused(wait: .milliseconds(2920)))
        #expect(bucket.claim(5, at: at(140)) == ask(5, 15))
    }

    @Test func `who wants more than there ever is keeps nobody else out`() throws {
        let bucket = bucket(limit: 100)
        guard case .ask(let question) = bucket.claim(101, at: at(0)) else { throw Unexpected() }
        #expect(bucket.answered(reply(0, wait: .seconds(9)), to: question, amount: 101, at: at(0)) == .seconds(9))
        #expect(bucket.claim(101, at: at(1)) == ask(101, 111))
    }

    @Test func `what cost less than was thought is there again, here and for the others`() {
        let bucket = bucket(limit: 1000)
        #expect(obtain(600, bucket) == 700)
        #expect(bucket.claim(90, at: at(0)) != .taken(renew: nil))
        bucket.settle(90, used: 30, takenAt: at(0), at: at(0))
        #expect(bucket.claim(70, at: at(0)) == .taken(renew: nil))
        bucket.settle(70, used: 70, takenAt: at(0), at: at(0))
        #expect(bucket.takeOwed() == 0)
        // Nothing was used of 600: the lease is full again, and the others have the rest.
        bucket.settle(600, used: 0, takenAt: at(0), at: at(0))
        #expect(bucket.takeOwed() == -500)
        #expect(bucket.takeOwed() == 0)
    }

    @Test func `what has drained meanwhile is not given back`() {
        let bucket = bucket(limit: 600, lease: 0)
        #expect(obtain(600, bucket) == 600)
        // Ten come back in a second.
        bucket.settle(600, used: 100, takenAt: at(0), at: at(20_000))
        #expect(bucket.takeOwed() == -400)
        #expect(obtain(50, bucket, at: 20_000) == 50)
        bucket.settle(50, used: 0, takenAt: at(20_000), at: at(60_000))
        #expect(bucket.takeOwed() == 0)
    }

    @Test func `what cost more than there ever is at once is charged, and keeps nobody out for ever`() {
        let bucket = bucket(limit: 1000)
        #expect(obtain(60, bucket) == 160)
        bucket.settle(60, used: 7060, takenAt: at(0), at: at(0))
        #expect(bucket.takeOwed() == 6900)
        #expect(bucket.claim(10, at: at(0)) == ask(10, 110))
        // It is told until it was heard.
        bucket.couldNotTell(6900)
        #expect(bucket.isBusy)
        #expect(bucket.takeOwed() == 6900)
        bucket.couldNotTell(-5)
        #expect(bucket.takeOwed() == 0)
    }

    @Test(arguments: [Int.max, Int.min, -1, 1 << 62])
    func `numbers that cannot be are made such as can be`(number: Int) throws {
        let rule = LimitRule(name: "r", limit: 500, fleet: .init())
        let bucket = SharedBucket(of: rule, values: [])
        for _ in 0..<3 {
            guard case .ask(let question) = bucket.claim(500, at: at(0)) else { break }
            let reply = try #require(LeaseReply([number, number, number, number], to: question, of: rule))
            #expect(reply.granted <= question.most && 0...500 ~= reply.remaining)
            _ = bucket.answered(reply, to: question, amount: 500, at: at(0))
            let standing = try #require(bucket.standing(at: at(90_000)))
            #expect(0...600 ~= standing.remaining && standing.reset >= .zero)
            bucket.settle(500, used: LimitAmounts.amountMax, takenAt: at(0), at: at(0))
        }
        #expect(bucket.takeOwed() <= LimitAmounts.amountMax)
        guard case .ask(let question) = bucket.claim(1, at: at(1000)) else { return }
        #expect(LeaseReply([1, 2, 3], to: question, of: rule) == nil)
        #expect(LeaseReply([1, 2, nil, 3], to: question, of: rule) == nil)
    }

    @Test func `never more than was granted is let pass`() {
        for seed in SplitMix64.seeds(300) {
            var random = SplitMix64(seed)
            let bucket = bucket(limit: 500, lease: Int.random(in: 0...50, using: &random))
            var (granted, passed, now) = (0, 0, Int64(0))
            var underWay: [(amount: Int, at: Int64)] = []
            var questions: [(question: LeaseQuestion, amount: Int?)] = []
            for _ in 0..<200 {
                now += Int64.random(in: 0...2000, using: &random)
                let amount = Int.random(in: 1...20, using: &random)
                switch bucket.claim(amount, at: at(now)) {
                case .taken(let renewal):
                    passed += amount
                    underWay.append((amount, now))
                    if let renewal { questions.append((renewal, nil)) }
                case .ask(let question): questions.append((question, amount))
                case .refused: break
                }
                // Several ask at one time, and the answers come in any order.
                while !questions.isEmpty, Bool.random(using: &random) {
                    let asked = questions.remove(at: Int.random(in: 0..<questions.count, using: &random))
                    guard Int.random(in: 0..<4, using: &random) > 0 else {
                        bucket.failed(asked.question)
                        continue
                    }
                    let isThere = Bool.random(using: &random)
                    let part = isThere ? Int.random(in: asked.question.least...asked.question.most, using: &random) : 0
                    granted += part
                    let wait = bucket.answered(
                        reply(part, wait: .seconds(1)), to: asked.question, amount: asked.amount, at: at(now))
                    if let amount = asked.amount {
                        #expect((wait == nil) == isThere, "seed \(seed)")
                        if isThere {
                            passed += amount
                            underWay.append((amount, now))
                        }
                    }
                }
                if !underWay.isEmpty, Bool.random(using: &random) {
                    let (taken, start) = underWay.removeFirst()
                    let used = Int.random(in: 0...2 * taken, using: &random)
                    passed += used - taken
                    bucket.settle(taken, used: used, takenAt: at(start), at: at(now))
                }
                granted += bucket.takeOwed()
                #expect(passed <= granted, "seed \(seed)")
            }
        }
    }

    @Test func `what was spent of a budget is told once, however often it is sent`() throws {
        let rule = LimitRule(
            name: "b", unit: .cost, kind: .budget(.day, utcOffsetSeconds: 0), limit: 1000, fleet: LimitRule.Fleet())
        let bucket = SharedBucket(of: rule, values: [])
        #expect(bucket.isUnknown)
        let first = try #require(bucket.nextPush(period: 7, at: at(0)))
        #expect(first.period == 7 && first.amount == 0)
        #expect(bucket.nextPush(period: 7, at: at(0)) == nil)
        #expect(bucket.confirmed(first, total: 40, at: at(1)) == 40)
        #expect(!bucket.isUnknown && bucket.nextPush(period: 7, at: at(2)) == nil)
        bucket.noteSpent(5, period: 7)
        let second = try #require(bucket.nextPush(period: 7, at: at(3)))
        #expect(second.amount == 5 && second.sequence > first.sequence)
        bucket.pushFailed()
        bucket.noteSpent(6, period: 7)
        // The same again: Redis may have heard it.
        #expect(bucket.nextPush(period: 7, at: at(4)) == second)
        #expect(bucket.confirmed(second, total: 45, at: at(5)) == 51)
        let third = try #require(bucket.nextPush(period: 7, at: at(6)))
        #expect(third.amount == 6 && third.sequence > second.sequence)
        bucket.pushFailed()
        // Nobody asks for yesterday.
        bucket.noteSpent(1, period: 8)
        let fourth = try #require(bucket.nextPush(period: 8, at: at(7)))
        #expect(fourth.period == 8 && fourth.amount == 1 && fourth.sequence > third.sequence)
    }

    @Test func `a bucket that was forgotten and is made again tells what Redis has not heard`() throws {
        let rule = LimitRule(
            name: "b", unit: .cost, kind: .budget(.day, utcOffsetSeconds: 0), limit: 1000, fleet: LimitRule.Fleet())
        let before = SharedBucket(of: rule, values: ["ada"])
        var last = 0
        for _ in 0..<3 {
            before.noteSpent(1, period: 7)
            let push = try #require(before.nextPush(period: 7, at: at(0)))
            _ = before.confirmed(push, total: 1, at: at(0))
            last = push.sequence
        }
        let again = SharedBucket(of: rule, values: ["ada"])
        again.noteSpent(1, period: 7)
        let push = try #require(again.nextPush(period: 7, at: at(0)))
        #expect(again.writer == before.writer && push.sequence > last)
    }

    @Test func `what is counted in another unit, or divided otherwise, is another bucket`() {
        let rules = [
            LimitRule(name: "r", by: .user, unit: .cost, limit: 1, fleet: .init()),
            LimitRule(name: "r", by: .user, unit: .totalTokens, limit: 1, fleet: .init()),
            LimitRule(name: "r", by: .team, unit: .cost, limit: 1, fleet: .init()),
        ]
        #expect(Set(rules.map { SharedBucket(of: $0, values: ["a"]).name }).count == 3)
    }

    @Test func `names do not run into one another`() {
        let rule = LimitRule(name: "r", by: [.user, .model], limit: 1, fleet: .init())
        let names = Set(
            [["a", "b"], ["a:1:b", ""], ["", "a:1:b"], ["ab", ""]].map { SharedBucket(of: rule, values: $0).name })
        #expect(names.count == 4)
    }
}
