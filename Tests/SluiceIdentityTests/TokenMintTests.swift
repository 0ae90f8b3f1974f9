import NetTestSupport
import SluiceCore
internal import SluiceHTTP
import SluiceIdentity
import SluiceJSON
import SluiceNet
import SluicePolicy
import SluiceTLS
import Synchronization
import TestSupport
import Testing

@Suite struct `Sluice's own signing keys` {
    private static let start = EventLoop.readClock()

    private static func at(_ seconds: Int) -> Instant { start + .seconds(seconds) }

    private static func mint(_ change: (inout TokenMint.Settings) -> Void = { _ in }) throws -> TokenMint {
        var settings = TokenMint.Settings()
        settings.lifetime = .seconds(300)
        settings.rotation = .seconds(3600)
        change(&settings)
        return try TokenMint(settings, at: start)
    }

    private static func token(_ mint: TokenMint, at seconds: Int) throws -> [UInt8] {
        let token = try mint.token(for: "client:batch", scope: "", at: noon, clock: at(seconds))
        return token.withExposed { [UInt8](copying: $0) }
    }

    private static func keyID(_ token: [UInt8]) throws -> String? {
        let tape = JSONTape()
        return try JSONWebToken(token.span, tape: tape).keyID
    }

    private static func published(_ mint: TokenMint, at seconds: Int) throws -> [String?] {
        let document = mint.publish(at: at(seconds))
        return try KeySet(document.span, tape: JSONTape(), takesSecrets: false).keys.map(\.id)
    }

    private static func isGood(_ token: [UInt8], _ mint: TokenMint) async -> Bool {
        var rules = TokenRules()
        rules.issuer = mint.settings.issuer
        rules.audiences = [mint.settings.audience]
        let issuer = TokenIssuer(name: "own", keys: mint.verification, rules: rules, algorithms: [.es256, .edDSA])
        let verdict = await TokenVerifier(issuers: [issuer]).resolve(token, under: AccessPolicy(), at: noon)
        if case .principal = verdict { return true }
        return false
    }

    @Test(arguments: [PrivateKey.Kind.p256, .ed25519])
    func `are replaced when their time has come, and verify as long as a token of theirs may live`(
        kind: PrivateKey.Kind
    ) async throws {
        let mint = try Self.mint { $0.kind = kind }
        let first = try Self.token(mint, at: 0)
        let last = try Self.token(mint, at: 3590)
        #expect(try Self.keyID(first) == Self.keyID(last))
        // Keys are made a little after this suite's time begins.
        let fresh = try Self.token(mint, at: 3700)
        let (old, new) = (try Self.keyID(last), try Self.keyID(fresh))
        #expect(old != new && new != nil)
        for token in [first, last, fresh] { #expect(await Self.isGood(token, mint)) }
        // Tokens of 300 s, and 600 s for clocks that are behind.
        #expect(try Self.published(mint, at: 3700) == [new, old])
        #expect(try Self.published(mint, at: 3700 + 899) == [new, old])
        #expect(try Self.published(mint, at: 3700 + 900) == [new])
        // The next one takes the oldest out of what verifies.
        let third = try Self.token(mint, at: 7300)
        #expect(await Self.isGood(third, mint))
        #expect(await Self.isGood(fresh, mint))
        #expect(await !Self.isGood(last, mint))
        #expect(try Self.published(mint, at: 7300) == [Self.keyID(third), new])
    }

    @Test func `of the configuration stay`() throws {
        let mint = try Self.mint { $0.keys = [Secret(SigningKeys.p256)] }
        #expect(try Self.keyID(Self.token(mint, at: 0)) == Self.keyID(Self.token(mint, at: 1_000_000)))
        #expect(try Self.published(mint, at: 1_000_000).count == 1)
    }

    @Test func `are replaced once, however many workers notice at one time`() async throws {
        let mint = try Self.mint()
        _ = try Self.token(mint, at: 0)
        let ids = await withTaskGroup(of: String?.self) { group in
            for _ in 0..<8 { group.addTask { (try? Self.token(mint, at: 5000)).flatMap { try? Self.keyID($0) } } }
            return await group.reduce(into: Set<String?>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
        #expect(try Self.published(mint, at: 5000).count == 2)
    }
}

@Suite struct `What is known of issuers` {
    @Test func `stays while a configuration has it, whatever others are looked at meanwhile, and goes with the last`() throws {
        let state = IdentityState()
        let made = Atomic<Int>(0)
        func source(_ name: String) -> KeySource {
            state.source(name) {
                made.add(1, ordering: .relaxed)
                return KeySource(.keys(url: "https://\(name)/keys"), client: nil)
            }
        }
        var inForce: KeySource? = source("one")
        // A configuration that is refused, or only looked at, names others.
        for number in 0..<10 { _ = source("other-\(number)") }
        #expect(source("one") === inForce)
        let before = made.load(ordering: .relaxed)
        _ = source("one")
        #expect(made.load(ordering: .relaxed) == before)
        inForce = nil
        _ = source("one")
        #expect(made.load(ordering: .relaxed) == before + 1)
        _ = inForce
    }

    @Test func `keeps the keys that sign for the configuration in force, however many others were looked at`() throws {
        let state = IdentityState()
        func settings(_ issuer: String) -> TokenMint.Settings {
            var settings = TokenMint.Settings()
            settings.issuer = issuer
            return settings
        }
        let inForce = try state.mint(settings("https://one"))
        for number in 0..<10 { _ = try state.mint(settings("https://other-\(number)")) }
        #expect(try state.mint(settings("https://one")) === inForce)
    }

    @Test func `that cannot be asked about is told of once, and once more when it can`() async throws {
        let notices = IdentityNotices()
        let heard = Mutex<[IdentityNotices.Notice]>([])
        notices.onNotice { notice in heard.withLock { $0.append(notice) } }
        // Nobody to ask: every fetch fails.
        let source = KeySource(.keys(url: "https://issuer.example/keys?code=secret"), client: nil, notices: notices)
        try await onLoop { _ in
            for _ in 0..<3 { _ = await source.keys() }
        }
        #expect(
            heard.withLock { $0 } == [
                .failing(name: "https://issuer.example/keys", reason: "there is nobody to ask")
            ])
        #expect(source.report.failures == 1)
    }
}
