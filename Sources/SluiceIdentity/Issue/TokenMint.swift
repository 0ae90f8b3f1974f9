package import SluiceCore
internal import SluiceJSON
internal import SluiceNet
package import SluiceTLS
internal import Synchronization

/// Makes Sluice's own tokens (RFC 9068) and holds what they are signed with. Shared by all workers; outlives a
/// configuration that says the same.
package final class TokenMint: Sendable {
    package struct Settings: Sendable, Equatable {
        package var issuer = "sluice"
        package var audience = "sluice"
        /// Of keys that are made here.
        package var kind = PrivateKey.Kind.p256
        package var lifetime = Duration.seconds(300)
        package var rotation = Duration.seconds(86_400)
        /// The first signs, all verify; empty: keys are made here.
        package var keys: [Secret] = []

        package init() {}
    }

    private struct SigningKey: Sendable {
        let id: String
        let key: PrivateKey
        let verification: VerificationKey
        let madeAt: Instant
        /// When its last token has ended; `nil`: it is in use.
        var retiredAt: Instant?
    }

    package let settings: Settings
    /// What verifies its tokens.
    package let verification: KeySource
    private let signing: Mutex<[SigningKey]>
    /// A token that was just made may be shown where the clock is behind.
    private static let overlap = Duration.seconds(600)

    /// - Throws: `.configuration` for a key that cannot sign what is wanted.
    package init(_ settings: Settings, at now: Instant = EventLoop.readClock()) throws(TLSError) {
        self.settings = settings
        var keys: [SigningKey] = []
        for (index, pem) in settings.keys.enumerated() {
            let key = try PrivateKey(pem: pem, name: "signing key \(index + 1)", takesEd25519: true)
            keys.append(try Self.signingKey(key, madeAt: now))
        }
        if keys.isEmpty { keys = [try Self.signingKey(PrivateKey(generating: settings.kind), madeAt: now)] }
        verification = KeySource(fixed: KeySet(keys.map(\.verification)))
        signing = Mutex(keys)
    }

    private static func signingKey(_ key: PrivateKey, madeAt: Instant) throws(TLSError) -> SigningKey {
        guard let publicKey = key.publicKey, let point = key.publicPoint else {
            throw TLSError(
                .configuration, "tokens are signed with a key on the curve P-256 or with Ed25519, not with RSA")
        }
        // Any name will do that no other key has; this one is the same in every process that has the key.
        let id = String(SHA256.hash(point.span).hexadecimal.prefix(16))
        let algorithm: SignatureAlgorithm = key.kind == .ed25519 ? .edDSA : .es256
        return SigningKey(
            id: id, key: key, verification: VerificationKey(id: id, algorithm: algorithm, .publicKey(publicKey)),
            madeAt: madeAt)
    }

    // MARK: Tokens

    /// - Parameters:
    ///   - client: as its principal is called.
    ///   - now: seconds since 1970.
    package func token(
        for client: String, scope: String, at now: Int, clock: Instant = EventLoop.readClock()
    ) throws(TLSError) -> Secret {
        let key = try current(at: clock)
        let text = ByteBuffer(capacity: 640)
        let part = ByteBuffer(capacity: 384)
        writeHeader(key, to: part)
        Base64.encode(part.span, .urlSafe, into: text)
        part.removeAll()
        writeClaims(client, scope, now, to: part)
        text.append(UInt8(ascii: "."))
        Base64.encode(part.span, .urlSafe, into: text)
        let signature = try key.key.sign(text.span)
        text.append(UInt8(ascii: "."))
        Base64.encode(signature.span, .urlSafe, into: text)
        return Secret(text.span)
    }

    /// `typ` keeps tokens of one purpose apart from those of another (RFC 8725 §3.11).
    package static let type = "at+jwt"

    private func writeHeader(_ key: SigningKey, to buffer: ByteBuffer) {
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.key("alg")
            json.string(key.key.kind == .ed25519 ? "EdDSA" : "ES256")
            json.key("typ")
            json.string(Self.type)
            json.key("kid")
            json.string(key.id)
        }
    }

    private func writeClaims(_ client: String, _ scope: String, _ now: Int, to buffer: ByteBuffer) {
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.key("iss")
            json.string(settings.issuer)
            json.key("aud")
            json.string(settings.audience)
            json.key("sub")
            json.string(client)
            json.key("client_id")
            json.string(client)
            json.key("iat")
            json.int(now)
            json.key("exp")
            json.int(now + lifetimeSeconds)
            json.key("jti")
            json.string(Base64.encode(SecureRandom.bytes(16).span, .urlSafe))
            if !scope.isEmpty {
                json.key("scope")
                json.string(scope)
            }
        }
    }

    package var lifetimeSeconds: Int { Int(settings.lifetime.nanoseconds / 1_000_000_000) }

    // MARK: Keys

    /// The key that signs now; one of its own that has done so for long enough is replaced.
    private func current(at now: Instant) throws(TLSError) -> SigningKey {
        let newest = signing.withLock { $0.first }
        guard let newest else { throw TLSError(.library, "there is no key to sign with") }
        if !settings.keys.isEmpty || now < newest.madeAt + settings.rotation { return newest }
        let fresh = try Self.signingKey(PrivateKey(generating: settings.kind), madeAt: now)
        return signing.withLock { keys in
            // Another worker may have been faster.
            if let first = keys.first, first.id != newest.id { return first }
            let end = now + settings.lifetime + Self.overlap
            if !keys.isEmpty { keys[0].retiredAt = end }
            keys.removeAll { $0.retiredAt.map { $0 <= now } ?? false }
            keys.insert(fresh, at: 0)
            verification.replace(KeySet(keys.map(\.verification)), at: now)
            return fresh
        }
    }

    /// The other halves, for those who verify (RFC 7517 §5).
    package func publish(at now: Instant = EventLoop.readClock()) -> ByteBuffer {
        let keys = signing.withLock { $0 }.filter { $0.retiredAt.map { now < $0 } ?? true }
        let buffer = ByteBuffer(capacity: 512)
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.key("keys")
            json.array { json in for key in keys { Self.write(key, &json) } }
        }
        return buffer
    }

    private static func write(_ key: SigningKey, _ json: inout JSONWriter) {
        guard let point = key.key.publicPoint else { return }
        json.object { json in
            json.key("kty")
            json.string(key.key.kind == .ed25519 ? "OKP" : "EC")
            json.key("crv")
            json.string(key.key.kind == .ed25519 ? "Ed25519" : "P-256")
            json.key("x")
            json.string(Base64.encode(point.span.extracting(first: 32), .urlSafe))
            if key.key.kind == .p256 {
                json.key("y")
                json.string(Base64.encode(point.span.extracting(last: 32), .urlSafe))
            }
            json.key("kid")
            json.string(key.id)
            json.key("use")
            json.string("sig")
            json.key("alg")
            json.string(key.key.kind == .ed25519 ? "EdDSA" : "ES256")
        }
    }
}
