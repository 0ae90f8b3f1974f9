internal import COpenSSL

/// What is done once a process before OpenSSL is used.
enum OpenSSLLibrary {
    /// Starts OpenSSL without its exit handler, which frees what worker threads may still use while the process exits.
    static let isReady = OPENSSL_init_ssl(UInt64(OPENSSL_INIT_NO_ATEXIT), nil) == 1
}
