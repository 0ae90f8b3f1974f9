internal import COpenSSL
package import SluiceCore

/// A key that signs: RSA (RS256, RFC 7518 §3.3), the curve P-256 (ES256, §3.4), or Ed25519 (EdDSA, RFC 8037 §3.1).
///
/// `@unchecked Sendable`: OpenSSL counts references to a key, and signing only reads it.
@safe package final class PrivateKey: @unchecked Sendable {
    package enum Kind: Sendable { case rsa, p256, ed25519 }

    /// Shorter RSA keys are no proof of anything (RFC 7518 §3.3).
    private static let rsaBitsMin: Int32 = 2048
    /// Longer ones take seconds to sign with.
    private static let rsaBitsMax: Int32 = 16_384
    private static let coordinateByteCount = 32

    package let kind: Kind
    let key: PrivateKeyHandle

    /// Reads the first private key of a PEM text (RFC 7468): PKCS #8, PKCS #1 or SEC 1.
    ///
    /// - Parameters:
    ///   - name: what the key is called in errors.
    ///   - takesEd25519: whether what it signs can be EdDSA.
    /// - Throws: `.configuration` if there is none, it has a passphrase, or it is of another kind or too short.
    package init(pem: Secret, name: String, takesEd25519: Bool = false) throws(TLSError) {
        let key = try pem.withExposed { (bytes) throws(TLSError) -> PrivateKeyHandle in
            try PEM.privateKey(in: bytes, named: name)
        }
        kind = try unsafe Self.kind(of: key.raw, name, takesEd25519: takesEd25519)
        self.key = key
    }

    /// Makes a new key; an RSA key is not made here.
    package init(generating kind: Kind) throws(TLSError) {
        self.kind = kind
        key = try Self.generate(kind)
    }

    private static func kind(of key: OpaquePointer, _ name: String, takesEd25519: Bool) throws(TLSError) -> Kind {
        let bits = unsafe EVP_PKEY_get_bits(key)
        if unsafe EVP_PKEY_is_a(key, "RSA") == 1 {
            if bits >= rsaBitsMin && bits <= rsaBitsMax { return .rsa }
            throw TLSError(
                .configuration, "\(name): an RSA key of \(bits) bits; \(rsaBitsMin) to \(rsaBitsMax) are taken")
        }
        if unsafe EVP_PKEY_is_a(key, "EC") == 1, unsafe isP256(key) { return .p256 }
        if takesEd25519, unsafe EVP_PKEY_is_a(key, "ED25519") == 1 { return .ed25519 }
        let last = takesEd25519 ? ", on the curve P-256 nor Ed25519" : " nor on the curve P-256"
        throw TLSError(.configuration, "\(name): the private key is neither RSA\(last)")
    }

    @unsafe private static func isP256(_ key: OpaquePointer) -> Bool {
        var name = InlineArray<32, CChar>(repeating: 0)
        var span = name.mutableSpan
        return unsafe span.withUnsafeMutableBufferPointer { space in
            guard unsafe EVP_PKEY_get_group_name(key, space.baseAddress, space.count, nil) == 1,
                let start = space.baseAddress
            else { return false }
            return unsafe String(cString: start) == "prime256v1"
        }
    }

    /// Signs the SHA-256 hash of a message, as JSON Web Signatures spell it: PKCS #1 v1.5 for RSA, the two numbers side
    /// by side (64 bytes) for P-256. Ed25519 signs the message itself (64 bytes).
    package func sign(_ message: Span<UInt8>) throws(TLSError) -> [UInt8] {
        let signature = try unsafe signature(of: message)
        if kind != .p256 { return signature }
        guard let pair = Self.sideBySide(signature.span) else {
            throw TLSError(.library, "OpenSSL wrote a signature that is not two numbers")
        }
        return pair
    }

    @unsafe private func signature(of message: Span<UInt8>) throws(TLSError) -> [UInt8] {
        guard let state = unsafe EVP_MD_CTX_new() else { throw TLSError(.library, "out of memory for a signature") }
        defer { unsafe EVP_MD_CTX_free(state) }
        var byteCount = Int(unsafe EVP_PKEY_get_size(key.raw))
        var isSigned = unsafe EVP_DigestSignInit_ex(state, nil, kind == .ed25519 ? nil : "SHA256", nil, nil, key.raw, nil) == 1
        let signature = unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { space, count in
            guard isSigned else { return }
            isSigned = unsafe message.withUnsafeBufferPointer { message in
                unsafe EVP_DigestSign(state, space.baseAddress, &byteCount, message.baseAddress, message.count) == 1
            }
            count = isSigned ? byteCount : 0
        }
        if !isSigned { throw TLSError(.library, "OpenSSL did not sign: \(OpenSSLErrorQueue.drainText())") }
        return signature
    }

    /// From `SEQUENCE { INTEGER r, INTEGER s }` in DER (RFC 3279 §2.2.3) to r and s of 32 bytes each.
    private static func sideBySide(_ der: Span<UInt8>) -> [UInt8]? {
        guard der.count >= 2, der[0] == 0x30, Int(der[1]) == der.count - 2 else { return nil }
        var pair: [UInt8] = []
        var at = 2
        for _ in 0..<2 {
            guard at + 2 <= der.count, der[at] == 0x02 else { return nil }
            var start = at + 2
            let end = start + Int(der[at + 1])
            guard end <= der.count else { return nil }
            while start < end, der[start] == 0 { start += 1 }
            let zeros = coordinateByteCount - (end - start)
            if zeros < 0 { return nil }
            for _ in 0..<zeros { pair.append(0) }
            for index in start..<end { pair.append(der[index]) }
            at = end
        }
        return at == der.count ? pair : nil
    }
}
