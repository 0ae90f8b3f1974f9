internal import COpenSSL

/// HMAC (RFC 2104).
package enum MAC {
    nonisolated(unsafe) static let sha1Algorithm: OpaquePointer = {
        guard OpenSSLLibrary.isReady, let found = unsafe EVP_MD_fetch(nil, "SHA1", nil) else {
            preconditionFailure("OpenSSL has no SHA-1: \(OpenSSLErrorQueue.drainText())")
        }
        return unsafe found
    }()

    /// HMAC-SHA-256: 32 bytes.
    package static func sha256(key: Span<UInt8>, message: Span<UInt8>) -> Digest {
        unsafe compute(SHA256.algorithm, 32, key, message)
    }

    /// HMAC-SHA-1: 20 bytes. For providers whose signatures are defined with it; still sound as a MAC (RFC 6194 §3.3).
    package static func sha1(key: Span<UInt8>, message: Span<UInt8>) -> Digest {
        unsafe compute(sha1Algorithm, 20, key, message)
    }

    @unsafe private static func compute(
        _ algorithm: OpaquePointer, _ byteCount: Int, _ key: Span<UInt8>, _ message: Span<UInt8>
    ) -> Digest {
        precondition(key.count <= Int(Int32.max), "a key of \(key.count) bytes")
        return unsafe key.withUnsafeBufferPointer { key in
            unsafe message.withUnsafeBufferPointer { message in
                unsafe Digest(byteCount: byteCount) { space in
                    // A null key means "the key of the call before" to OpenSSL; an empty one must not be null.
                    var none: UInt8 = 0
                    return unsafe withUnsafePointer(to: &none) { none in
                        unsafe HMAC(
                            algorithm, key.baseAddress ?? none, Int32(key.count), message.baseAddress ?? none,
                            message.count, space.baseAddress, nil) != nil
                    }
                }
            }
        }
    }
}

/// Comparisons whose time does not depend on what is compared.
package enum ConstantTime {
    /// Whether two secrets are the same. Only their lengths show in the time taken.
    package static func areEqual(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
        if a.count != b.count { return false }
        return unsafe a.withUnsafeBytes { a in
            unsafe b.withUnsafeBytes { b in unsafe CRYPTO_memcmp(a.baseAddress, b.baseAddress, a.count) == 0 }
        }
    }
}
