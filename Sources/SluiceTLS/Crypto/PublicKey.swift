internal import COpenSSL
internal import SluiceCore

/// A key that signatures of JSON Web Signatures are verified with.
///
/// `@unchecked Sendable`: OpenSSL counts references to a key, and verifying only reads it.
@safe package final class PublicKey: @unchecked Sendable {
    /// Why a key is not taken.
    package struct Unusable: Error, Sendable, CustomStringConvertible {
        package let description: String
        package init(_ description: String) { self.description = description }
    }

    /// Shorter RSA keys are no proof of anything (RFC 7518 §3.3).
    private static let rsaBitsMin = 2048
    /// Longer ones cost a worker milliseconds with every token.
    private static let rsaBitsMax = 8192
    private static let exponentByteCountMax = 8

    package let kind: SignatureAlgorithm.KeyKind
    private let key: PrivateKeyHandle

    /// An RSA key from its modulus and exponent, the most significant byte first (RFC 7518 §6.3.1).
    ///
    /// - Throws: for fewer than 2048 bits or more than 8192, and for an exponent that is even or under 65537 (FIPS 186-5 §A.1.1).
    package init(modulus: Span<UInt8>, exponent: Span<UInt8>) throws(Unusable) {
        let bits = Self.bitCount(modulus)
        guard Self.rsaBitsMin...Self.rsaBitsMax ~= bits else {
            throw Unusable("an RSA key of \(bits) bits; \(Self.rsaBitsMin) to \(Self.rsaBitsMax) are taken")
        }
        let exponentBits = Self.bitCount(exponent)
        guard exponentBits > 16, exponent.count <= Self.exponentByteCountMax, exponent[exponent.count - 1] & 1 == 1,
            modulus[modulus.count - 1] & 1 == 1
        else { throw Unusable("an RSA key whose exponent or modulus is even, or whose exponent is not 65537 to 2^64") }
        kind = .rsa
        key = try Self.read(
            DER.sequence(
                DER.sequence(DER.objectIdentifier(DER.rsaEncryption), DER.null),
                DER.bitString(DER.sequence(DER.integer(modulus), DER.integer(exponent)))))
    }

    /// A point on a curve (RFC 7518 §6.2.1). OpenSSL refuses a point that is not on it.
    ///
    /// - Parameter kind: one of the three curves.
    package init(_ kind: SignatureAlgorithm.KeyKind, x: Span<UInt8>, y: Span<UInt8>) throws(Unusable) {
        guard let curve = Curve(kind) else { throw Unusable("a point on no curve") }
        guard x.count == curve.byteCount, y.count == curve.byteCount else {
            throw Unusable("coordinates that are not of \(curve.byteCount) bytes each")
        }
        self.kind = kind
        key = try Self.read(
            DER.sequence(
                DER.sequence(DER.objectIdentifier(DER.ecPublicKey), DER.objectIdentifier(curve.objectIdentifier)),
                DER.bitString([4] + [UInt8](copying: x) + [UInt8](copying: y))))
    }

    /// An Ed25519 key of 32 bytes (RFC 8037 §2).
    package init(ed25519 point: Span<UInt8>) throws(Unusable) {
        guard point.count == 32 else { throw Unusable("an Ed25519 key that has not 32 bytes") }
        kind = .ed25519
        key = try Self.read(
            DER.sequence(DER.sequence(DER.objectIdentifier(DER.ed25519)), DER.bitString([UInt8](copying: point))))
    }

    private static func read(_ der: [UInt8]) throws(Unusable) -> PrivateKeyHandle {
        guard OpenSSLLibrary.isReady else { throw Unusable("OpenSSL is not there") }
        let raw = unsafe der.withUnsafeBufferPointer { bytes in
            var start = bytes.baseAddress
            return unsafe d2i_PUBKEY(nil, &start, bytes.count)
        }
        guard let raw = unsafe raw else {
            throw Unusable("a key that OpenSSL does not take: \(OpenSSLErrorQueue.drainText())")
        }
        return unsafe PrivateKeyHandle(owning: raw)
    }

    private static func bitCount(_ number: Span<UInt8>) -> Int {
        for index in number.indices where number[index] != 0 {
            return (number.count - index) * 8 - number[index].leadingZeroBitCount
        }
        return 0
    }

    /// Whether the signature is of this message and made with this key's other half.
    ///
    /// - Parameter algorithm: one that is not for this kind of key verifies nothing.
    package func verifies(
        _ signature: Span<UInt8>, of message: Span<UInt8>, by algorithm: SignatureAlgorithm
    ) -> Bool {
        guard algorithm.keyKind == kind else { return false }
        guard let curve = Curve(kind) else { return unsafe check(signature, message, algorithm) }
        // The two numbers side by side (RFC 7518 §3.4); OpenSSL wants them as DER.
        guard signature.count == 2 * curve.byteCount else { return false }
        let pair = DER.sequence(
            DER.integer(signature.extracting(0..<curve.byteCount)),
            DER.integer(signature.extracting(curve.byteCount..<signature.count)))
        return unsafe check(pair.span, message, algorithm)
    }

    @unsafe private func check(_ signature: Span<UInt8>, _ message: Span<UInt8>, _ algorithm: SignatureAlgorithm) -> Bool {
        guard let state = unsafe EVP_MD_CTX_new() else { return false }
        defer {
            unsafe EVP_MD_CTX_free(state)
            ERR_clear_error()
        }
        var keyState: OpaquePointer?
        guard
            unsafe EVP_DigestVerifyInit_ex(state, &keyState, algorithm.hashName, nil, nil, key.raw, nil) == 1
        else { return false }
        if algorithm.isPSS {
            guard unsafe EVP_PKEY_CTX_set_rsa_padding(keyState, RSA_PKCS1_PSS_PADDING) == 1,
                unsafe EVP_PKEY_CTX_set_rsa_pss_saltlen(keyState, RSA_PSS_SALTLEN_DIGEST) == 1
            else { return false }
        }
        return unsafe signature.withUnsafeBufferPointer { signature in
            unsafe message.withUnsafeBufferPointer { message in
                unsafe EVP_DigestVerify(
                    state, signature.baseAddress, signature.count, message.baseAddress, message.count) == 1
            }
        }
    }
}

/// What differs between the curves of RFC 7518 §3.4.
struct Curve {
    /// Of one coordinate, and of one number of a signature.
    let byteCount: Int
    let objectIdentifier: [UInt8]

    init?(_ kind: SignatureAlgorithm.KeyKind) {
        switch kind {
        case .p256: (byteCount, objectIdentifier) = (32, [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07])
        case .p384: (byteCount, objectIdentifier) = (48, [0x2B, 0x81, 0x04, 0x00, 0x22])
        case .p521: (byteCount, objectIdentifier) = (66, [0x2B, 0x81, 0x04, 0x00, 0x23])
        case .symmetric, .rsa, .ed25519: return nil
        }
    }
}
