internal import COpenSSL
package import SluiceCore

/// The result of a hash or a message authentication code: 20 or 32 bytes, without an allocation.
package struct Digest: Sendable {
    private var storage: InlineArray<32, UInt8>
    package let count: Int

    /// - Parameter fill: writes `byteCount` bytes, at most 32; says whether it could.
    @unsafe init(byteCount: Int, _ fill: (UnsafeMutableBufferPointer<UInt8>) -> Bool) {
        storage = InlineArray(repeating: 0)
        count = byteCount
        var bytes = storage.mutableSpan
        let isFilled = unsafe bytes.withUnsafeMutableBufferPointer { unsafe fill($0) }
        precondition(isFilled, "OpenSSL could not hash: \(OpenSSLErrorQueue.drainText())")
    }

    package var span: Span<UInt8> {
        @_lifetime(borrow self) get { storage.span.extracting(first: count) }
    }

    /// Lower-case hexadecimal.
    package var hexadecimal: String {
        let buffer = ByteBuffer(capacity: 64)
        append(hexadecimalTo: buffer)
        return buffer.text
    }

    /// Of 64 lower-case hexadecimal digits: a SHA-256.
    package init?(hexadecimal digits: Span<UInt8>) {
        guard digits.count == 64 else { return nil }
        storage = InlineArray(repeating: 0)
        count = 32
        for index in 0..<32 {
            let (high, low) = (digits[2 * index], digits[2 * index + 1])
            guard let upper = high.hexDigitValue, let lower = low.hexDigitValue, high == high.asciiLowercased,
                low == low.asciiLowercased
            else { return nil }
            storage[index] = UInt8(truncatingIfNeeded: upper << 4 | lower)
        }
    }

    package func append(hexadecimalTo buffer: ByteBuffer) {
        for index in 0..<count {
            let byte = storage[index]
            buffer.append(Self.digit(byte >> 4))
            buffer.append(Self.digit(byte & 15))
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? value + UInt8(ascii: "0") : value + (UInt8(ascii: "a") - 10)
    }
}

extension Digest: Hashable {
    /// Takes the same time wherever the first difference is.
    package static func == (a: Digest, b: Digest) -> Bool { ConstantTime.areEqual(a.span, b.span) }

    package func hash(into hasher: inout Hasher) {
        for index in 0..<count { hasher.combine(storage[index]) }
    }
}

/// SHA-256 (FIPS 180-4), at once or in pieces.
@safe package struct SHA256: ~Copyable {
    /// Fetched once: EVP_sha256() is looked up anew by every use (OpenSSL 3, crypto(7)).
    nonisolated(unsafe) static let algorithm: OpaquePointer = {
        guard OpenSSLLibrary.isReady, let found = unsafe EVP_MD_fetch(nil, "SHA256", nil) else {
            preconditionFailure("OpenSSL has no SHA-256: \(OpenSSLErrorQueue.drainText())")
        }
        return unsafe found
    }()

    private let state: OpaquePointer

    package init() {
        guard let fresh = unsafe EVP_MD_CTX_new() else { preconditionFailure("out of memory for a hash") }
        unsafe state = fresh
        let isReady = unsafe EVP_DigestInit_ex2(fresh, Self.algorithm, nil) == 1
        precondition(isReady, "SHA-256 did not start: \(OpenSSLErrorQueue.drainText())")
    }

    deinit { unsafe EVP_MD_CTX_free(state) }

    package mutating func update(_ bytes: Span<UInt8>) {
        let isTaken = unsafe bytes.withUnsafeBytes { unsafe EVP_DigestUpdate(state, $0.baseAddress, $0.count) == 1 }
        precondition(isTaken, "SHA-256 did not go on: \(OpenSSLErrorQueue.drainText())")
    }

    package consuming func finish() -> Digest {
        unsafe Digest(byteCount: 32) { unsafe EVP_DigestFinal_ex(state, $0.baseAddress, nil) == 1 }
    }

    package static func hash(_ bytes: Span<UInt8>) -> Digest {
        var state = SHA256()
        state.update(bytes)
        return state.finish()
    }
}

/// SHA-256 of one text after another, without a new state for each. Belongs to one thread.
@safe package final class SHA256Series {
    private let state: OpaquePointer

    package init() {
        guard let fresh = unsafe EVP_MD_CTX_new() else { preconditionFailure("out of memory for a hash") }
        unsafe state = fresh
    }

    deinit { unsafe EVP_MD_CTX_free(state) }

    package func hash(_ bytes: Span<UInt8>) -> Digest {
        let isHashed = unsafe bytes.withUnsafeBytes { bytes in
            unsafe EVP_DigestInit_ex2(state, SHA256.algorithm, nil) == 1
                && EVP_DigestUpdate(state, bytes.baseAddress, bytes.count) == 1
        }
        precondition(isHashed, "SHA-256 did not start: \(OpenSSLErrorQueue.drainText())")
        return unsafe Digest(byteCount: 32) { unsafe EVP_DigestFinal_ex(state, $0.baseAddress, nil) == 1 }
    }
}
