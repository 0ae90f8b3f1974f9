import CSystem
import Foundation
import SluiceCore
import Testing

@testable import SluicePolicy

@Suite(.serialized) struct `Sets of limits` {
    private func at(_ seconds: Double) -> LimitTime {
        LimitTime(now: Instant(nanoseconds: 1_000_000_000_000 + Int64(seconds * 1e9)), wallSeconds: 1_795_000_000)
    }

    private func subject(user: String? = nil, model: String = "m", address: String = "192.0.2.1") -> LimitSubject {
        var subject = LimitSubject(model: model, route: "/v1/chat/completions")
        subject.caller.user = user
        subject.caller.address = address
        return subject
    }

    private func passes(
        _ set: LimitSet, _ subject: LimitSubject, _ amounts: LimitAmounts = LimitAmounts(), _ seconds: Double = 0
    )
        -> Bool
    {
        let hold = LimitHold(set)
        let refusal = set.reserve(subject, amounts, at: at(seconds), into: hold)
        hold.settle(amounts, at: at(seconds)) { _, _, _ in }
        return refusal == nil
    }

    private func adopt(_ rules: [LimitRule], _ table: LimitTable = LimitTable()) throws -> LimitSet {
        try #require(table.adopt(rules, at: at(0).now))
    }

    @Test func `each combination of values has its own bucket`() throws {
        let set = try adopt([LimitRule(name: "r", by: [.user, .model], limit: 1)])
        #expect(passes(set, subject(user: "a")))
        #expect(!passes(set, subject(user: "a")))
        #expect(passes(set, subject(user: "a", model: "n")))
        #expect(passes(set, subject(user: "b")))
        // Values do not run into one another.
        #expect(passes(set, subject(user: "ab", model: "c")))
        #expect(passes(set, subject(user: "a", model: "bc")))
        // Who does not say who he is shares with the others who do not.
        #expect(passes(set, subject()))
        #expect(!passes(set, subject()))
    }

    @Test func `of a limit that others share applications are told what is known`() throws {
        let set = try adopt([LimitRule(name: "r", limit: 10, fleet: .init(leasePercent: 0, localSharePercent: 50))])
        let hold = LimitHold(set)
        func remaining() -> [Int] {
            var remaining: [Int] = []
            hold.forEachStanding(at: at(0)) { remaining.append($1.remaining) }
            return remaining
        }
        #expect(set.reserve(subject(), LimitAmounts(), at: at(0), into: hold) == nil)
        #expect(remaining() == [10], "nobody has asked yet")
        guard case .ask(let question) = hold.claim(0, at: at(0).now) else {
            Issue.record("there is no lease")
            return
        }
        hold.place(0).failed(question)
        // Alone now: a half of it is ours to give.
        #expect(hold.standIn(0, at: at(0)) == nil)
        #expect(remaining() == [4])
        hold.release(at: at(0))
    }

    @Test func `the fullest budget is the one of which the most is used, whatever is set aside in others`() throws {
        let budget = LimitRule(
            name: "b", by: [.user], unit: .outputTokens, kind: .budget(.day, utcOffsetSeconds: 0), limit: 1000)
        let set = try adopt([LimitRule(name: "r", limit: 1_000_000), budget])
        #expect(set.mostUsed(1, at: at(0)) == 0)
        for user in 0..<200 {
            #expect(passes(set, subject(user: "user \(user)"), LimitAmounts(outputTokens: user * 7 % 200)))
        }
        let hold = LimitHold(set)
        #expect(set.reserve(subject(user: "expects much"), LimitAmounts(outputTokens: 900), at: at(0), into: hold) == nil)
        #expect(set.mostUsed(1, at: at(0)) == 199)
        hold.release(at: at(0))
        #expect(set.mostUsed(2, at: at(0)) == 0)
    }

    @Test func `a request that needs more than a budget ever has is too large, not too late`() throws {
        let budget = LimitRule(
            name: "b", unit: .outputTokens, kind: .budget(.day, utcOffsetSeconds: 0), limit: 1000)
        let set = try adopt([budget])
        func refusal(_ tokens: Int, spend: Int = 0) -> LimitRefusal? {
            let hold = LimitHold(set)
            let refusal = set.reserve(subject(), LimitAmounts(outputTokens: tokens), at: at(0), into: hold)
            hold.settle(LimitAmounts(outputTokens: spend), at: at(0)) { _, _, _ in }
            return refusal
        }
        let large = refusal(1001)
        #expect(large?.isTooLarge == true && large?.wait == nil)
        #expect(refusal(1000, spend: 1000) == nil)
        let spent = refusal(1001)
        #expect(spent?.isTooLarge == false && spent?.wait != nil)
    }

    @Test func `networks of version 6 count as one, addresses of version 4 each`() throws {
        let set = try adopt([LimitRule(name: "r", by: .address, limit: 1)])
        #expect(passes(set, subject(address: "2001:db8:1:2::1")))
        #expect(!passes(set, subject(address: "2001:db8:1:2:ffff::9")))
        #expect(passes(set, subject(address: "2001:db8:1:3::1")))
        #expect(passes(set, subject(address: "192.0.2.1")))
        #expect(passes(set, subject(address: "192.0.2.2")))
        #expect(!passes(set, subject(address: "::ffff:192.0.2.2")))
    }

    @Test func `a limit is about what it matches`() throws {
        var match = LimitMatch()
        match.models = [NamePattern("gpt-*"), NamePattern("m")]
        match.addresses = [try #require(IPNetwork("10.0.0.0/8"))]
        let set = try adopt([LimitRule(name: "r", match: match, limit: 1)])
        #expect(passes(set, subject(model: "gpt-5", address: "10.1.2.3")))
        #expect(!passes(set, subject(model: "m", address: "10.9.9.9")))
        for _ in 0..<3 {
            #expect(passes(set, subject(model: "other", address: "10.1.2.3")))
            #expect(passes(set, subject(model: "m", address: "11.1.2.3")))
            #expect(passes(set, subject(model: "m", address: "unix")))
        }
    }

    @Test func `what one limit refuses is not taken from the others`() throws {
        let set = try adopt([
            LimitRule(name: "many", limit: 10), LimitRule(name: "tokens", unit: .totalTokens, limit: 1000),
            LimitRule(name: "few", by: .user, limit: 2),
            LimitRule(name: "at once", unit: .concurrency, kind: .concurrency, limit: 5),
        ])
        for _ in 0..<2 { #expect(passes(set, subject(user: "a"), LimitAmounts(inputTokens: 10))) }
        for _ in 0..<50 { #expect(!passes(set, subject(user: "a"), LimitAmounts(inputTokens: 10))) }
        #expect(set.counters.map(\.snapshot.refused) == [0, 0, 50, 0])
        #expect(set.counters.map(\.snapshot.settled) == [2, 20, 2, 2])
        let explained = set.explain(subject(user: "a"), LimitAmounts(), at: at(0))
        #expect(explained.map(\.rule.name) == ["many", "tokens", "few", "at once"])
        #expect(explained.map(\.reading.remaining) == [8, 980, 0, 5])
        #expect(explained.map { $0.verdict == .taken } == [true, true, false, true])
    }

    @Test func `who is refused is told to wait for the slowest of those that refuse`() throws {
        let set = try adopt([
            LimitRule(name: "second", limit: 1, period: .seconds(1)), LimitRule(name: "minute", limit: 1),
        ])
        #expect(passes(set, subject()))
        let hold = LimitHold(set)
        let refusal = try #require(set.reserve(subject(), LimitAmounts(), at: at(0), into: hold))
        #expect(refusal.rule.name == "second")
        let wait = try #require(refusal.wait)
        #expect(wait > .seconds(59) && wait <= .seconds(60))
    }

    @Test func `a changed configuration keeps what is in the buckets`() throws {
        let table = LimitTable()
        let first = try adopt(
            [LimitRule(name: "a", by: .user, limit: 2), LimitRule(name: "b", by: .user, limit: 5)], table)
        #expect(passes(first, subject(user: "u")))
        let open = LimitHold(first)
        #expect(first.reserve(subject(user: "u"), LimitAmounts(), at: at(0), into: open) == nil)
        // Another order, another limit, a new one.
        let second = try adopt(
            [
                LimitRule(name: "c", by: .user, limit: 7), LimitRule(name: "b", by: .user, limit: 10),
                LimitRule(name: "a", by: .user, limit: 2),
            ], table)
        open.settle(LimitAmounts(), at: at(0)) { _, _, _ in }
        let explained = second.explain(subject(user: "u"), LimitAmounts(), at: at(0))
        #expect(explained.map(\.reading.remaining) == [7, 6, 0])
        #expect(!passes(second, subject(user: "u")))
        // And once more, with requests that are under way on the one before.
        let third = try adopt([LimitRule(name: "b", by: .user, limit: 10)], table)
        #expect(third.explain(subject(user: "u"), LimitAmounts(), at: at(0))[0].reading.remaining == 6)
    }

    @Test func `names that callers invent are forgotten when their buckets are full again`() throws {
        let set = try adopt([LimitRule(name: "r", by: .user, limit: 1, period: .seconds(1))])
        for index in 0..<20_000 {
            #expect(passes(set, subject(user: "user \(index)"), LimitAmounts(), Double(index) * 0.01))
        }
        // About so many as came in the seconds that a bucket takes.
        #expect(set.groups[0].store.count < 1500)
    }

    @Test func `there is a bound on buckets, and whoever took most is remembered`() throws {
        let set = try adopt([LimitRule(name: "r", by: .user, limit: 3, period: .seconds(86_400))])
        for _ in 0..<3 { #expect(passes(set, subject(user: "greedy"))) }
        for index in 0..<LimitStore.accountsMax + 20_000 {
            #expect(passes(set, subject(user: "\(index)"), LimitAmounts(), 2))
        }
        #expect(set.groups[0].store.count <= LimitStore.accountsMax)
        #expect(!passes(set, subject(user: "greedy"), LimitAmounts(), 3))
    }

    @Test func `a thousand keys with ten limits take less than a megabyte`() throws {
        let units: [LimitUnit] = [.requests, .inputTokens, .outputTokens, .totalTokens, .cost]
        let rules = (0..<10).map { index in
            LimitRule(name: "rule \(index)", by: .key, unit: units[index % 5], limit: 1_000_000 + index)
        }
        let subjects = (0..<1000).map { index in
            var subject = subject()
            subject.caller.key = String(0xABCD_0000_0000_0000 + UInt64(index), radix: 16)
            return subject
        }
        // Other tests allocate at the same time: the middle of several.
        var sets: [LimitSet] = []
        let byteCounts = try (0..<9).map { _ in
            let set = try adopt(rules)
            sets.append(set)
            let before = allocatedByteCount()
            for subject in subjects { _ = passes(set, subject, LimitAmounts(inputTokens: 5, outputTokens: 5, cost: 3)) }
            return allocatedByteCount() - before
        }
        let byteCount = byteCounts.sorted()[4]
        #expect(byteCount < 1_000_000, "\(byteCounts) bytes")
        #expect(byteCount > 200_000, "\(byteCounts) bytes: not what is meant to be measured")
        #expect(sets.allSatisfy { $0.groups[0].store.count == 1000 })
    }

    /// What the C library has given out, in all its arenas (malloc_info(3)).
    private func allocatedByteCount() -> Int {
        guard let file = unsafe tmpfile() else { return 0 }
        defer { unsafe fclose(file) }
        unsafe malloc_info(0, file)
        unsafe rewind(file)
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = unsafe fread(&bytes, 1, bytes.count, file)
        let text = String(decoding: bytes.prefix(count), as: UTF8.self)
        // The sums over all arenas come last.
        guard let end = text.range(of: "</heap>", options: .backwards) else { return 0 }
        func size(_ type: String) -> Int {
            let pattern = "type=\"\(type)\""
            guard let start = text.range(of: pattern, range: end.upperBound..<text.endIndex),
                let size = text.range(of: "size=\"", range: start.upperBound..<text.endIndex)
            else { return 0 }
            return Int(text[size.upperBound...].prefix { $0.isNumber }) ?? 0
        }
        return size("current") + size("mmap") - size("fast") - size("rest")
    }
}
