internal import COpenSSL
package import SluiceCore

/// HMAC-SHA-256 (RFC 2104) under one key, for many messages: what the key alone decides is computed once.
package struct KeyedHash: Sendable {
    private let state: shim_KeyedSHA256

    package init(key: Secret) {
        var state = shim_KeyedSHA256()
        key.withExposed { bytes in
            unsafe bytes.withUnsafeBufferPointer { unsafe shim_KeyedSHA256_init(&state, $0.baseAddress, $0.count) }
        }
        self.state = state
    }

    package func hash(_ message: Span<UInt8>) -> Digest {
        unsafe Digest(byteCount: 32) { space in
            unsafe message.withUnsafeBufferPointer { message in
                unsafe withUnsafePointer(to: state) { state in
                    unsafe shim_KeyedSHA256_hash(state, message.baseAddress, message.count, space.baseAddress)
                }
            }
            return true
        }
    }
}
