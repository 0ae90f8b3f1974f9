internal import SluiceCore
internal import SluiceHTTP
internal import SluiceTLS

/// Seals what the management API keeps, on the disk and on its way through Redis: nobody without the key can read it, and nobody
/// can make up, change or move any of it.
struct ControlSeal: Sendable {
    private enum Means {
        case vault(SecretVault)
        case shared(AuthenticatedCipher)
    }

    private static let version: UInt8 = 0x73
    private let means: Means

    /// With the keys that seal everything else; `nil` if there are none.
    init?(_ vault: SecretVault) {
        guard vault.hasKey else { return nil }
        means = .vault(vault)
    }

    /// - Parameter secret: the same on every node.
    init(sharedSecret secret: Secret) {
        let key = secret.withExposed { MAC.sha256(key: $0, message: "sluice control v1".utf8Span.span) }
        guard let cipher = AuthenticatedCipher(key: Secret(key.span)) else {
            preconditionFailure("HMAC-SHA-256 gave a key of another length")
        }
        means = .shared(cipher)
    }

    /// - Parameter purpose: what it is and where it belongs; the same to open it.
    /// - Returns: `nil` if the vault has lost its keys.
    func seal(_ bytes: Span<UInt8>, purpose: String) -> [UInt8]? {
        let buffer = ByteBuffer(capacity: bytes.count + 128)
        switch means {
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

    /// - Returns: `nil` if it was not sealed with this key for this purpose, or has been changed.
    func open(_ sealed: [UInt8], purpose: String) -> [UInt8]? {
        let buffer = ByteBuffer(capacity: sealed.count)
        switch means {
        case .vault(let vault):
            guard (try? vault.open(sealed.span, purpose: purpose, into: buffer)) != nil else { return nil }
        case .shared(let cipher):
            let head = 1 + AuthenticatedCipher.nonceByteCount
            guard sealed.count >= head + AuthenticatedCipher.tagByteCount, sealed[0] == Self.version else { return nil }
            let span = sealed.span
            let isOpen = cipher.open(
                span.extracting(head..<sealed.count), nonce: span.extracting(1..<head), context: purpose.utf8Span.span,
                into: buffer)
            if !isOpen { return nil }
        }
        return Array(copying: buffer.span)
    }
}
