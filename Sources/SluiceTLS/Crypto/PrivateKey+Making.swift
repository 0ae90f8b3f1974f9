internal import COpenSSL
internal import SluiceCore

extension PrivateKey {
    static func generate(_ kind: Kind) throws(TLSError) -> PrivateKeyHandle {
        let name = kind == .ed25519 ? "ED25519" : "EC"
        guard kind != .rsa, OpenSSLLibrary.isReady, let state = unsafe EVP_PKEY_CTX_new_from_name(nil, name, nil) else {
            throw TLSError(.library, "no new key of the kind \(kind): \(OpenSSLErrorQueue.drainText())")
        }
        defer { unsafe EVP_PKEY_CTX_free(state) }
        var raw: OpaquePointer?
        let isMade =
            unsafe EVP_PKEY_keygen_init(state) == 1
            && (kind == .ed25519 || EVP_PKEY_CTX_set_group_name(state, "P-256") == 1)
            && EVP_PKEY_generate(state, &raw) == 1
        guard isMade, let raw = unsafe raw else {
            throw TLSError(.library, "no new key of the kind \(kind): \(OpenSSLErrorQueue.drainText())")
        }
        return unsafe PrivateKeyHandle(owning: raw)
    }

    /// The other half as a point: x and y of P-256 side by side (64 bytes), the 32 bytes of Ed25519; `nil` for RSA.
    package var publicPoint: [UInt8]? {
        let byteCount: Int
        switch kind {
        case .rsa: return nil
        case .p256: byteCount = 64
        case .ed25519: byteCount = 32
        }
        var start: UnsafeMutablePointer<UInt8>?
        let count = Int(unsafe i2d_PUBKEY(key.raw, &start))
        guard let der = unsafe start, count > byteCount else { return nil }
        defer { unsafe CRYPTO_free(der, nil, 0) }
        // SubjectPublicKeyInfo ends with the point (RFC 5480 §2.2, RFC 8410 §4).
        return unsafe [UInt8](UnsafeBufferPointer(start: der + (count - byteCount), count: byteCount))
    }

    /// What verifies its signatures; `nil` for RSA.
    package var publicKey: PublicKey? {
        guard let point = publicPoint else { return nil }
        if kind == .ed25519 { return try? PublicKey(ed25519: point.span) }
        return try? PublicKey(.p256, x: point.span.extracting(0..<32), y: point.span.extracting(32..<64))
    }
}
