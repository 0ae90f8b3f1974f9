internal import SluiceCore
internal import SluiceHTTP
internal import SluiceTLS

/// Seals what the management API keeps, on the disk and on its way through Redis: nobody without the key can read it,
/// and nobody can make up, change or move any of it.
struct ControlSeal: Sendable {
    private enum Means {
        case vault(SecretVault)
        case shared(AuthenticatedCipher)
    }

    /// What the shared secret has sealed begins with it; what the vault has does not.
    static let version: UInt8 = 0x73
    /// The first seals, all open.
    private let means: [Means]
    /// Whether the vault's keys seal, so that their rotation concerns it.
    let usesVault: Bool

    /// - Parameters:
    ///   - sharedSecret: the same on every node.
    ///   - prefersVault: on the disk: its keys can be rotated. On the way the shared secret goes first.
    /// - Returns: `nil` if there is no key at all.
    init?(_ vault: SecretVault, sharedSecret: Secret?, prefersVault: Bool) {
        let shared = sharedSecret.map { Means.shared(Self.cipher($0)) }
        let kept = vault.hasKey ? Means.vault(vault) : nil
        let means = (prefersVault ? [kept, shared] : [shared, kept]).compactMap(\.self)
        if means.isEmpty { return nil }
        self.means = means
        if case .vault = means[0] { usesVault = true } else { usesVault = false }
    }

    private static func cipher(_ secret: Secret) -> AuthenticatedCipher {
        let key = secret.withExposed { MAC.sha256(key: $0, message: "sluice control v1".utf8Span.span) }
        guard let cipher = AuthenticatedCipher(key: Secret(key.span)) else {
            preconditionFailure("HMAC-SHA-256 gave a key of another length")
        }
        return cipher
    }

    /// - Parameter purpose: what it is and where it belongs; the same to open it.
    /// - Returns: `nil` if the vault has lost its keys.
    func seal(_ bytes: Span<UInt8>, purpose: String) -> [UInt8]? {
        let buffer = ByteBuffer(capacity: bytes.count + 128)
        switch means[0] {
        case .vault(let vault):
            guard (try? vault.seal(bytes, purpose: purpose, into: buffer)) != nil else { return nil }
        case .shared(let cipher):
            let nonce = SecureRandom.bytes(AuthenticatedCipher.nonceByteCount)
            buffer.append(Self.version)
            buffer.append(nonce.span)
            cipher.seal(bytes, nonce: nonce.span, context: purpose.utf8Span.span, into: buffer)
        }
        return Array(copying: buffer.span)
    }

    /// - Returns: `nil` if it was not sealed with a key of this for this purpose, or has been changed.
    func open(_ sealed: [UInt8], purpose: String) -> [UInt8]? {
        for means in means {
            let buffer = ByteBuffer(capacity: sealed.count)
            let isOpen =
                switch means {
                case .vault(let vault): (try? vault.open(sealed.span, purpose: purpose, into: buffer)) != nil
                case .shared(let cipher): Self.open(sealed, purpose, cipher, into: buffer)
                }
            if isOpen { return Array(copying: buffer.span) }
        }
        return nil
    }

    private static func open(
        _ sealed: [UInt8], _ purpose: String, _ cipher: AuthenticatedCipher, into buffer: ByteBuffer
    ) -> Bool {
        let head = 1 + AuthenticatedCipher.nonceByteCount
        guard sealed.count >= head + AuthenticatedCipher.tagByteCount, sealed[0] == version else { return false }
        let span = sealed.span
        return cipher.open(
            span.extracting(head..<sealed.count), nonce: span.extracting(1..<head), context: purpose.utf8Span.span,
            into: buffer)
    }
}
