import CSystem
import SluiceCore
import SluicePolicy
internal import TestSupport
import Testing

@Suite struct `A table of keys` {
    private static let now = 1_800_000_000

    private static func digest(_ number: Int) -> KeyDigest {
        KeyPepper().digest(of: "key number \(number)".utf8Span.span)
    }

    private static func record(_ number: Int) -> KeyRecord {
        var record = KeyRecord(id: "k\(number)", digest: digest(number))
        record.roles = ["app"]
        return record
    }

    private let policy = AccessPolicy(users: ["ann": .init(roles: ["auditor"], team: "audit")])

    private func id(_ table: KeyTable, _ number: Int, at now: Int = now) -> String? {
        guard case .principal(let principal) = table.check(Self.digest(number), under: policy, at: now) else { return nil }
        return principal.id
    }

    private func refusal(_ table: KeyTable, _ number: Int, at now: Int = now) -> CredentialRefusal? {
        guard case .refused(let reason, _) = table.check(Self.digest(number), under: policy, at: now) else { return nil }
        return reason
    }

    @Test func `finds each of its keys and no other`() {
        let table = KeyTable((0..<5000).map(Self.record))
        #expect(table.count == 5000)
        for number in 0..<5000 { #expect(id(table, number) == "key:k\(number)") }
        for number in 5000..<6000 { #expect(refusal(table, number) == .unknown) }
    }

    @Test func `stays right however keys come and go`() {
        for seed in SplitMix64.seeds(20) {
            var random = SplitMix64(seed)
            let table = KeyTable()
            var model: [Int: Bool] = [:]
            for _ in 0..<600 {
                let number = Int.random(in: 0..<80, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0, 1:
                    table.insert(Self.record(number))
                    model[number] = true
                case 2:
                    #expect(table.remove("k\(number)") == (model[number] != nil), "seed \(seed)")
                    model[number] = nil
                default:
                    #expect(table.disable("k\(number)") == (model[number] != nil), "seed \(seed)")
                    if model[number] != nil { model[number] = false }
                }
            }
            #expect(table.count == model.count, "seed \(seed)")
            for number in 0..<80 {
                #expect((id(table, number) != nil) == (model[number] == true), "seed \(seed) key \(number)")
            }
            #expect(Set(table.records.map(\.id)) == Set(model.keys.map { "k\($0)" }), "seed \(seed)")
        }
    }

    @Test func `takes no key that is disabled, or whose time is over`() {
        var expiring = Self.record(1)
        expiring.expiresAt = Self.now + 10
        let table = KeyTable([expiring, Self.record(2)])
        #expect(id(table, 1, at: Self.now + 9) != nil)
        #expect(refusal(table, 1, at: Self.now + 10) == .expired)
        table.disable("k2")
        #expect(refusal(table, 2) == .disabled)
        #expect(!table.disable("k3"))
    }

    @Test func `takes both keys for a while after one has been rotated`() {
        let table = KeyTable([Self.record(1)])
        #expect(table.rotate("k1", to: Self.digest(11), overlapEnd: Self.now + 60))
        #expect(id(table, 1, at: Self.now + 59) == "key:k1" && id(table, 11) == "key:k1")
        #expect(refusal(table, 1, at: Self.now + 60) == .unknown && id(table, 11, at: Self.now + 60) == "key:k1")
        #expect(table.record("k1")?.previous == .init(digest: Self.digest(1), until: Self.now + 60))
        table.disable("k1")
        #expect(refusal(table, 1) == .disabled && refusal(table, 11) == .disabled)
        table.remove("k1")
        #expect(refusal(table, 1) == .unknown)
    }

    @Test func `says when a key was used last, and keeps that when it is filled anew`() {
        let table = KeyTable([Self.record(1), Self.record(2)])
        _ = id(table, 1, at: Self.now)
        #expect(table.lastUsed("k1") == Self.now && table.lastUsed("k2") == nil && table.lastUsed("k3") == nil)
        table.replace([Self.record(1), Self.record(3)])
        #expect(table.lastUsed("k1") == Self.now)
        #expect(refusal(table, 2) == .unknown && id(table, 3) != nil)
        table.insert(Self.record(1))
        #expect(table.lastUsed("k1") == Self.now)
    }

    @Test func `makes principals anew when what roles and users mean has changed`() throws {
        var record = Self.record(1)
        record.roles = nil
        record.user = "ann"
        let table = KeyTable([record])
        func principal(_ policy: AccessPolicy) throws -> Principal {
            guard case .principal(let principal) = table.check(Self.digest(1), under: policy, at: Self.now) else {
                throw Missing()
            }
            return principal
        }
        let first = try principal(policy)
        #expect(first.team == "audit" && first.roles == ["auditor"] && first.access.allows(.readAudit))
        #expect(try principal(policy) === first)
        let other = try principal(AccessPolicy(users: ["ann": .init(roles: ["app"])]))
        #expect(other.team == nil && !other.access.allows(.readAudit) && other.access.allows(endpoint: "/v1/embeddings"))
    }

    private struct Missing: Error {}

    @Test func `gives back what was put in`() {
        var record = Self.record(1)
        record.user = "bob"
        record.team = "search"
        record.businessLine = "retail"
        record.models = ["small*"]
        record.mayClaim = true
        record.expiresAt = Self.now
        record.isDisabled = true
        record.previous = .init(digest: Self.digest(9), until: Self.now)
        #expect(KeyTable([record]).record("k1") == record)
    }
}

@Suite struct `100,000 keys` {
    /// What the C library has given out, to anybody: other tests run at the same time, and take or give back some meanwhile.
    private static var byteCount: Int {
        let info = mallinfo2()
        return Int(info.uordblks + info.hblkhd)
    }

    @Test func `take less than 30 MB when all of them are in use`() {
        var (least, most) = (Int.max, 0)
        for _ in 0..<3 {
            let before = Self.byteCount
            let table = KeyTable(
                (0..<100_000).map { number in
                    var record = KeyRecord(
                        id: "app-\(number)", digest: KeyPepper().digest(of: "\(number)".utf8Span.span))
                    record.user = "user-\(number)"
                    record.team = "a team with a long name \(number % 100)"
                    record.roles = ["app"]
                    return record
                })
            let policy = AccessPolicy()
            for record in table.records { _ = table.check(record.digest, under: policy, at: 1) }
            let byteCount = Self.byteCount - before
            (least, most) = (min(least, byteCount), max(most, byteCount))
        }
        #expect(most > 10_000_000 && least < 30_000_000, "\(least) to \(most) bytes")
    }
}

@Suite struct `Uses of keys` {
    private let policy = AccessPolicy()

    private static func record(_ number: Int) -> KeyRecord {
        KeyRecord(id: "k\(number)", digest: KeyPepper().digest(of: "key \(number)".utf8Span.span))
    }

    @Test func `are told since when, for however many keys, and remembered from before`() {
        let table = KeyTable((0..<5000).map(Self.record))
        #expect(table.uses(since: 0).isEmpty)
        for number in stride(from: 0, to: 5000, by: 2) {
            _ = table.check(Self.record(number).digest, under: policy, at: 1000 + number)
        }
        #expect(table.uses(since: 0).count == 2500)
        let late = table.uses(since: 1000 + 4990)
        #expect(late.map(\.id).sorted() == ["k4990", "k4992", "k4994", "k4996", "k4998"])
        #expect(late.allSatisfy { $0.seconds == 1000 + (Int($0.id.dropFirst()) ?? 0) })
        let next = KeyTable((0..<5000).map(Self.record))
        _ = next.check(Self.record(4).digest, under: policy, at: 9000)
        next.remember(table.uses(since: 0) + [KeyUse(id: "gone", seconds: 5)])
        #expect(next.lastUsed("k2") == 1002 && next.lastUsed("k4") == 9000 && next.lastUsed("k3") == nil)
    }
}
