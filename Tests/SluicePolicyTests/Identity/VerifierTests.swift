import SluiceCore
import SluicePolicy
import Testing

@Suite struct `Who shows an API key` {
    private static let now = 1_800_000_000
    private static let pepper = KeyPepper(Secret("pepper"))

    private static func record(_ id: String, _ key: Secret) -> KeyRecord {
        var record = KeyRecord(id: id, digest: key.withExposed { pepper.digest(of: $0) })
        record.roles = ["app"]
        return record
    }

    private func verdict(_ verifier: APIKeyVerifier, _ policy: AccessPolicy, _ key: Secret) -> String {
        let verdict = key.withExposed { verifier.verify($0, under: policy, at: Self.now) }
        switch verdict {
        case .notMine: return "not mine"
        case .undecided: return "undecided"
        case .principal(let principal): return principal.id
        case .refused(let reason, let id): return reason.rawValue + (id.map { " " + $0 } ?? "")
        }
    }

    @Test func `is found among the configuration's and the others, which may be changed at any time`() {
        let (first, second, third) = (APIKey.issue(), APIKey.issue(), APIKey.issue())
        let others = KeyTable([Self.record("b", second)])
        let policy = AccessPolicy(pepper: Self.pepper, keys: [Self.record("a", first)])
        let verifier = APIKeyVerifier(others: others, hasForeignKeys: false)
        #expect(verdict(verifier, policy, first) == "key:a")
        #expect(verdict(verifier, policy, second) == "key:b")
        #expect(verdict(verifier, policy, third) == "unknown")
        others.insert(Self.record("c", third))
        #expect(verdict(verifier, policy, third) == "key:c")
        others.disable("c")
        #expect(verdict(verifier, policy, third) == "disabled key:c")
        #expect(verdict(verifier, policy, Secret("sk-sluice-x")) == "malformed")
        #expect(verdict(verifier, policy, Secret("eyJhbGciOi.J.x")) == "not mine")
        #expect(verdict(verifier, policy, Secret("")) == "not mine")
    }

    @Test func `of another's making is looked up only where there are such keys`() {
        let foreign = Secret("a-key-of-somebody-else")
        let policy = AccessPolicy(pepper: Self.pepper, keys: [Self.record("f", foreign)])
        let others = KeyTable()
        #expect(verdict(APIKeyVerifier(others: others, hasForeignKeys: true), policy, foreign) == "key:f")
        #expect(verdict(APIKeyVerifier(others: others, hasForeignKeys: true), policy, Secret("another")) == "not mine")
        #expect(verdict(APIKeyVerifier(others: others, hasForeignKeys: false), policy, foreign) == "not mine")
    }

    /// The medians of many interleaved rounds: what is left of a difference is noise, unless one path is another one.
    @Test func `takes as long to be refused whether the key is unknown, disabled or out of time`() {
        let keys = (0..<3).map { _ in APIKey.issue() }
        var off = Self.record("off", keys[0])
        off.isDisabled = true
        var old = Self.record("old", keys[1])
        old.expiresAt = 1
        let policy = AccessPolicy(pepper: Self.pepper, keys: [off, old] + (0..<1000).map { Self.record("k\($0)", APIKey.issue()) })
        let verifier = APIKeyVerifier(others: KeyTable(), hasForeignKeys: false)
        var times: [[Int64]] = [[], [], []]
        let clock = ContinuousClock()
        for round in 0..<900 {
            let which = round % 3
            let time = clock.measure {
                for _ in 0..<20 {
                    keys[which].withExposed { _ = verifier.verify($0, under: policy, at: Self.now) }
                }
            }
            times[which].append(time.nanoseconds)
        }
        let medians = times.map { $0.sorted()[$0.count / 2] }
        let spread = Double(medians.max() ?? 0) / Double(max(1, medians.min() ?? 1))
        #expect(spread < 1.5, "medians \(medians)")
    }
}
