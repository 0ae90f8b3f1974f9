internal import COpenSSL

/// An SSL_CTX. OpenSSL counts references to it and locks what its connections share, so threads may share it once it is
/// set up.
@safe final class SSLContextHandle: @unchecked Sendable {
    let raw: OpaquePointer

    init() throws(TLSError) {
        guard OpenSSLLibrary.isReady, let raw = unsafe SSL_CTX_new(TLS_method()) else {
            throw TLSError(.library, "OpenSSL made no context: \(OpenSSLErrorQueue.drainText())")
        }
        unsafe self.raw = raw
    }

    deinit { unsafe SSL_CTX_free(raw) }
}

/// An SSL: the state of one connection.
@safe struct SSLHandle: ~Copyable {
    let raw: OpaquePointer

    init(_ context: SSLContextHandle) throws(TLSError) {
        guard let raw = unsafe SSL_new(context.raw) else {
            throw TLSError(.library, "OpenSSL made no connection: \(OpenSSLErrorQueue.drainText())")
        }
        unsafe self.raw = raw
    }

    deinit { unsafe SSL_free(raw) }
}

/// An X509 that we own.
@safe struct CertificateHandle: ~Copyable {
    let raw: OpaquePointer
    init(owning raw: OpaquePointer) { unsafe self.raw = raw }
    deinit { unsafe X509_free(raw) }
}

/// An EVP_PKEY that we own.
@safe struct PrivateKeyHandle: ~Copyable {
    let raw: OpaquePointer
    init(owning raw: OpaquePointer) { unsafe self.raw = raw }
    deinit { unsafe EVP_PKEY_free(raw) }
}

/// A BIO that reads from a file's bytes. The bytes must outlive it.
@safe struct FileBIO: ~Copyable {
    let raw: OpaquePointer

    @unsafe init(reading bytes: UnsafeBufferPointer<UInt8>) throws(TLSError) {
        guard let raw = unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else {
            throw TLSError(.library, "OpenSSL made no BIO: \(OpenSSLErrorQueue.drainText())")
        }
        unsafe self.raw = raw
    }

    deinit { unsafe BIO_free(raw) }
}
