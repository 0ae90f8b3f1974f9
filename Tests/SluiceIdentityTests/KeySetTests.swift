import SluiceCore
import SluiceIdentity
import SluiceJSON
import SluiceTLS
import TestSupport
import Testing

@Suite struct `Sets of keys` {
    private static let point =
        #""x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#

    private func read(_ keys: String) throws -> KeySet {
        let document = #"{"keys":[\#(keys)]}"#
        return try KeySet(document.utf8Span.span, tape: JSONTape(), takesSecrets: false)
    }

    @Test(arguments: [
        #"{"kty":"EC","crv":"P-256",\#(point),"use":"enc"}"#, #"{"kty":"EC","crv":"P-256",\#(point),"key_ops":["encrypt"]}"#,
        #"{"kty":"EC","crv":"secp256k1",\#(point)}"#, #"{"kty":"EC","crv":"P-256",\#(point),"alg":"ECDH-ES"}"#,
        #"{"kty":"XYZ"}"#, "{}", #"{"kty":"OKP","crv":"X25519","x":"AAAA"}"#, "7", "null",
    ])
    func `keys for something else are left out silently`(key: String) throws {
        let keys = try read(key)
        #expect(keys.keys.isEmpty && keys.notes.isEmpty)
    }

    @Test(arguments: [
        #"{"kty":"EC","crv":"P-384",\#(point)}"#, #"{"kty":"EC","crv":"P-256",\#(point),"alg":"RS256"}"#,
        #"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}"#,
        #"{"kty":"RSA","e":"AQAB"}"#, #"{"kty":"RSA","e":"AQAB","n":"AQAB"}"#,
        #"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#, #"{"kty":"oct","k":"AAAA"}"#,
        #"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#,
    ])
    func `keys that are weak or wrong are left out, and noted`(key: String) throws {
        let keys = try read(key)
        #expect(keys.keys.isEmpty && keys.notes.count == 1)
    }

    @Test(arguments: [1024, 2047, 8193]) func `RSA keys are of a sensible length`(bits: Int) throws {
        #expect(try rsa(bits: bits, exponent: [1, 0, 1]).keys.isEmpty)
    }

    @Test(arguments: [[3], [1], [0], [1, 0, 0], [UInt8](repeating: 255, count: 9)])
    func `RSA exponents are sensible`(exponent: [UInt8]) throws {
        #expect(try rsa(bits: 2048, exponent: exponent).keys.isEmpty)
        #expect(try rsa(bits: 2048, exponent: [1, 0, 1]).keys.count == 1)
    }

    private func rsa(bits: Int, exponent: [UInt8]) throws -> KeySet {
        var modulus = [UInt8](repeating: 0xFF, count: (bits + 7) / 8)
        modulus[0] = UInt8(truncatingIfNeeded: (1 << ((bits - 1) % 8 + 1)) - 1)
        return try read(
            #"{"kty":"RSA","n":"\#(Base64.encode(modulus.span, .urlSafe))","e":"\#(Base64.encode(exponent.span, .urlSafe))"}"#)
    }

    @Test func `documents are bounded, and say everything once`() throws {
        let key = #"{"kty":"EC","crv":"P-256",\#(Self.point)}"#
        #expect(try read(Array(repeating: key, count: 64).joined(separator: ",")).keys.count == 64)
        #expect(throws: KeySet.Malformed.self) { try read(Array(repeating: key, count: 65).joined(separator: ",")) }
        #expect(throws: KeySet.Malformed.self) { try read(#"{"kty":"EC","kty":"oct"}"#) }
        for document in ["", "[]", "{}", #"{"keys":{}}"#, #"{"keys":[],"keys":[]}"#, "{" + String(repeating: " ", count: 262_144) + "}"] {
            #expect(throws: KeySet.Malformed.self, "\(document.prefix(20))") {
                try KeySet(document.utf8Span.span, tape: JSONTape(), takesSecrets: false)
            }
        }
    }

    @Test func `whatever comes, nothing traps`() {
        let document = Array(#"{"keys":[{"kty":"EC","crv":"P-256",\#(Self.point)},{"kty":"OKP","crv":"Ed25519","x":"AA"}]}"#.utf8)
        for seed in SplitMix64.seeds(500) {
            var random = SplitMix64(seed)
            var changed = document
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                changed[Int.random(in: 0..<changed.count, using: &random)] = UInt8.random(in: 0x20...0x7E, using: &random)
            }
            let keys = try? KeySet(changed.span, tape: JSONTape(), takesSecrets: true)
            #expect((keys?.keys.count ?? 0) <= 2, "seed \(seed)")
        }
    }
}

@Suite struct `When keys are fetched again` {
    private let start = Instant(nanoseconds: 1_000_000_000_000)
    private func after(_ seconds: Int) -> Instant { start + .seconds(seconds) }

    private func expectAction(
        _ state: inout KeySourceState, _ wanted: KeySourceState.Action, lacksKey: Bool, at now: Instant,
        location: SourceLocation = #_sourceLocation
    ) {
        let action = state.want(lacksKey: lacksKey, at: now)
        #expect(action == wanted, sourceLocation: location)
    }

    private func holding(maxAge: Duration? = .seconds(100)) -> KeySourceState {
        var state = KeySourceState()
        expectAction(&state, .fetch, lacksKey: false, at: start)
        state.arrived(KeySet([]), isSame: false, maxAge: maxAge, at: start)
        return state
    }

    @Test func `as long as the issuer says, within bounds`() {
        var state = holding()
        expectAction(&state, .use, lacksKey: false, at: after(99))
        expectAction(&state, .useAndFetch, lacksKey: false, at: after(100))
        expectAction(&state, .fetch, lacksKey: false, at: after(400))
        var eager = holding(maxAge: .zero)
        expectAction(&eager, .use, lacksKey: false, at: after(29))
        expectAction(&eager, .useAndFetch, lacksKey: false, at: after(30))
        var lazy = holding(maxAge: .seconds(1 << 30))
        expectAction(&lazy, .use, lacksKey: false, at: after(3599))
        expectAction(&lazy, .useAndFetch, lacksKey: false, at: after(3600))
        var silent = holding(maxAge: nil)
        expectAction(&silent, .useAndFetch, lacksKey: false, at: after(300))
    }

    @Test func `a key that nobody knows has them fetched once within a time`() {
        var state = holding()
        expectAction(&state, .fetch, lacksKey: true, at: after(1))
        expectAction(&state, .use, lacksKey: true, at: after(2))
        expectAction(&state, .use, lacksKey: true, at: after(30))
        expectAction(&state, .fetch, lacksKey: true, at: after(31))
    }

    @Test func `old ones are used while the issuer is down, and not for ever`() {
        var state = holding()
        expectAction(&state, .fetch, lacksKey: false, at: after(500))
        state.failed("down", at: after(500))
        expectAction(&state, .use, lacksKey: false, at: after(500))
        #expect(state.hasKeys(at: after(86_399)))
        expectAction(&state, .fetch, lacksKey: false, at: after(86_400))
        #expect(!state.hasKeys(at: after(86_400)))
        state.failed("down", at: after(86_400))
        expectAction(&state, .unavailable, lacksKey: false, at: after(86_400))
    }

    @Test func `an issuer that is down is left alone for longer and longer`() {
        var state = KeySourceState()
        var now = 0
        var waits: [Int] = []
        for _ in 0..<9 {
            expectAction(&state, .fetch, lacksKey: false, at: after(now))
            state.failed("down", at: after(now))
            let failedAt = now
            while state.want(lacksKey: false, at: after(now)) == .unavailable { now += 1 }
            waits.append(now - failedAt)
        }
        #expect(waits == [1, 2, 4, 8, 16, 32, 60, 60, 60])
        state.arrived(KeySet([]), isSame: false, maxAge: nil, at: after(now))
        #expect(state.backoff == Backoff())
    }

    @Test func `the same ones again change nothing`() {
        var state = holding()
        let changed = state.arrived(KeySet([]), isSame: true, maxAge: nil, at: after(10))
        #expect(!changed)
        #expect(state.revision == 1)
        let isOther = state.arrived(KeySet([]), isSame: false, maxAge: nil, at: after(20))
        #expect(isOther)
        #expect(state.revision == 2)
    }

    @Test(arguments: [
        ("max-age=60", Duration.seconds(60)), ("public, MAX-AGE = 5", .seconds(5)), ("no-store", .zero),
        ("max-age=60, no-cache", .zero), ("max-age=99999999999999999999", nil), ("max-age=-1", nil), ("", nil), ("private", nil),
    ])
    func `how long is read strictly`(field: String, wanted: Duration?) {
        #expect(IdentityClient.maxAge(field) == wanted)
    }
}
