internal import COpenSSL
package import SluiceCore

/// AES-256-GCM (NIST SP 800-38D): what was sealed under another key, or changed since, does not open.
///
/// `@unchecked Sendable`: it holds a secret that never changes; every call works on a context of its own.
package struct AuthenticatedCipher: Sendable {
    package static let keyByteCount = 32
    package static let nonceByteCount = 12
    package static let tagByteCount = 16

    /// Fetched once: looking it up is dearer than sealing a small text (OpenSSL 3, crypto(7)).
    nonisolated(unsafe) private static let algorithm: OpaquePointer = {
        guard OpenSSLLibrary.isReady, let found = unsafe EVP_CIPHER_fetch(nil, "AES-256-GCM", nil) else {
            preconditionFailure("OpenSSL has no AES-256-GCM: \(OpenSSLErrorQueue.drainText())")
        }
        return unsafe found
    }()

    private let key: Secret

    /// - Returns: `nil` unless the key has 32 bytes.
    package init?(key: Secret) {
        guard key.byteCount == Self.keyByteCount else { return nil }
        self.key = key
    }

    /// Appends the sealed text, and after it its tag.
    ///
    /// - Parameters:
    ///   - nonce: 12 bytes, never the same twice under one key.
    ///   - context: what is not hidden, but must be the same when the text is opened.
    package func seal(_ text: Span<UInt8>, nonce: Span<UInt8>, context: Span<UInt8>, into buffer: ByteBuffer) {
        precondition(nonce.count == Self.nonceByteCount, "a nonce of \(nonce.count) bytes")
        guard let state = unsafe EVP_CIPHER_CTX_new() else { preconditionFailure("out of memory for a cipher") }
        defer { unsafe EVP_CIPHER_CTX_free(state) }
        var isSealed = unsafe start(state, nonce, context, isSealing: 1)
        unsafe buffer.appendUnsafe(minimum: text.count + Self.tagByteCount) { space in
            guard isSealed, let to = unsafe space.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return 0 }
            var written: Int32 = 0
            var rest: Int32 = 0
            isSealed = unsafe text.withUnsafeBufferPointer { text in
                unsafe (text.isEmpty
                    || EVP_EncryptUpdate(state, to, &written, text.baseAddress, Int32(text.count)) == 1)
                    && EVP_EncryptFinal_ex(state, to + Int(written), &rest) == 1
                    && EVP_CIPHER_CTX_ctrl(
                        state, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagByteCount), to + Int(written + rest)) == 1
            }
            return isSealed ? Int(written + rest) + Self.tagByteCount : 0
        }
        precondition(isSealed, "AES-GCM did not seal: \(OpenSSLErrorQueue.drainText())")
    }

    /// Appends the text of what `seal` wrote.
    ///
    /// - Returns: `false`, with nothing appended, if it was sealed under another key or in another context, or was changed.
    package func open(_ sealed: Span<UInt8>, nonce: Span<UInt8>, context: Span<UInt8>, into buffer: ByteBuffer) -> Bool
    {
        let byteCount = sealed.count - Self.tagByteCount
        guard nonce.count == Self.nonceByteCount, byteCount >= 0, byteCount <= Int(Int32.max) else { return false }
        guard let state = unsafe EVP_CIPHER_CTX_new() else { preconditionFailure("out of memory for a cipher") }
        defer { unsafe EVP_CIPHER_CTX_free(state) }
        guard unsafe start(state, nonce, context, isSealing: 0) else { return false }
        var isOpen = false
        unsafe buffer.appendUnsafe(minimum: byteCount + 1) { space in
            guard let to = unsafe space.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return 0 }
            var written: Int32 = 0
            var rest: Int32 = 0
            isOpen = unsafe sealed.withUnsafeBufferPointer { sealed in
                guard let from = sealed.baseAddress else { return false }
                // OpenSSL takes the tag through a pointer that it does not write to.
                let tag = unsafe UnsafeMutableRawPointer(mutating: from + byteCount)
                return unsafe (byteCount == 0 || EVP_DecryptUpdate(state, to, &written, from, Int32(byteCount)) == 1)
                    && EVP_CIPHER_CTX_ctrl(state, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagByteCount), tag) == 1
                    && EVP_DecryptFinal_ex(state, to + Int(written), &rest) == 1
            }
            return isOpen ? Int(written + rest) : 0
        }
        ERR_clear_error()
        return isOpen
    }

    @unsafe private func start(
        _ state: OpaquePointer, _ nonce: Span<UInt8>, _ context: Span<UInt8>, isSealing: Int32
    ) -> Bool {
        let isReady = key.withExposed { key in
            unsafe key.withUnsafeBufferPointer { key in
                unsafe nonce.withUnsafeBufferPointer { nonce in
                    unsafe EVP_CipherInit_ex(
                        state, Self.algorithm, nil, key.baseAddress, nonce.baseAddress, isSealing) == 1
                }
            }
        }
        if !isReady || context.isEmpty { return isReady }
        var written: Int32 = 0
        return unsafe context.withUnsafeBufferPointer { context in
            unsafe EVP_CipherUpdate(state, nil, &written, context.baseAddress, Int32(context.count)) == 1
        }
    }
}
