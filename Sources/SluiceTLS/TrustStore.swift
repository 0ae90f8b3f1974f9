internal import COpenSSL
internal import Glibc

/// The authorities that a peer's certificate may be signed by. OpenSSL locks it, so contexts of all threads share one.
@safe final class TrustStore: @unchecked Sendable {
    private let raw: OpaquePointer

    /// The system's authorities: SSL_CERT_FILE and SSL_CERT_DIR, or where OpenSSL was built to look. Those in a directory
    /// are loaded when first needed.
    static let system = Result<TrustStore, TLSError> { () throws(TLSError) -> TrustStore in
        let store = try TrustStore()
        if unsafe X509_STORE_set_default_paths(store.raw) != 1 {
            throw TLSError(.library, "the system's authorities: \(OpenSSLErrorQueue.drainText())")
        }
        OpenSSLErrorQueue.clear()
        return store
    }

    private init() throws(TLSError) {
        guard OpenSSLLibrary.isReady, let raw = unsafe X509_STORE_new() else {
            throw TLSError(.library, "OpenSSL made no trust store: \(OpenSSLErrorQueue.drainText())")
        }
        unsafe self.raw = raw
    }

    deinit { unsafe X509_STORE_free(raw) }

    /// Trusts each certificate of a PEM file as it stands, an intermediate too.
    convenience init(_ file: FileBytes) throws(TLSError) {
        try self.init()
        unsafe X509_STORE_set_flags(raw, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        try PEM.forEachCertificate(in: file) { (position, certificate) throws(TLSError) in
            if unsafe X509_STORE_add_cert(raw, certificate.raw) != 1 {
                let why = OpenSSLErrorQueue.drainText()
                throw TLSError(.configuration, "\(file.path): certificate \(position + 1) cannot be trusted: \(why)")
            }
        }
    }

    /// Makes connections of a context trust these authorities and no others. The context keeps the store alive.
    func install(in handle: SSLContextHandle) {
        unsafe SSL_CTX_set1_cert_store(handle.raw, raw)
    }

    /// Whether neither the file nor the directory of the system's authorities exists, as in an image without ca-certificates.
    static var systemIsMissing: Bool {
        unsafe !exists(X509_get_default_cert_file_env(), X509_get_default_cert_file())
            && !exists(X509_get_default_cert_dir_env(), X509_get_default_cert_dir())
    }

    private static func exists(_ variable: UnsafePointer<CChar>?, _ fallback: UnsafePointer<CChar>?) -> Bool {
        guard let variable = unsafe variable, let fallback = unsafe fallback else { return false }
        let path = unsafe getenv(variable).map { unsafe UnsafePointer($0) } ?? fallback
        return unsafe access(path, R_OK) == 0
    }
}
