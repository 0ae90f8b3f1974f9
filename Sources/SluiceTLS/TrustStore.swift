internal import COpenSSL
internal import Glibc
internal import Synchronization

/// The authorities that a peer's certificate may be signed by. OpenSSL locks it, so contexts of all threads share one.
@safe final class TrustStore: @unchecked Sendable {
    private let raw: OpaquePointer

    /// The system's authorities, loaded when first needed: SSL_CERT_DIR and SSL_CERT_FILE, or where OpenSSL was built
    /// to look. To load them all at once takes 25 ms and megabytes, for the two or three that sign anything here.
    static let system = Result<TrustStore, TLSError> { () throws(TLSError) -> TrustStore in
        try TrustStore(directory: systemDirectory, bundle: systemBundle)
    }

    static var systemDirectory: String {
        unsafe path(X509_get_default_cert_dir_env(), X509_get_default_cert_dir())
    }
    static var systemBundle: String {
        unsafe path(X509_get_default_cert_file_env(), X509_get_default_cert_file())
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

    /// Looks for an authority in a directory of hashed names (openssl-rehash(1)) and then in a bundle.
    ///
    /// - Parameters:
    ///   - directory: read file by file, as authorities are needed.
    ///   - bundle: read whole, once, when an authority is not in the directory.
    convenience init(directory: String, bundle: String) throws(TLSError) {
        try self.init()
        let hashed = unsafe X509_STORE_add_lookup(raw, X509_LOOKUP_hash_dir())
        let bundled = unsafe X509_STORE_add_lookup(raw, AuthorityBundle.method)
        guard let hashed = unsafe hashed, let bundled = unsafe bundled else {
            throw TLSError(.library, "OpenSSL made no lookup: \(OpenSSLErrorQueue.drainText())")
        }
        _ = unsafe X509_LOOKUP_ctrl(hashed, X509_L_ADD_DIR, directory, Int(X509_FILETYPE_PEM), nil)
        unsafe AuthorityBundle(path: bundle).attach(to: bundled)
        OpenSSLErrorQueue.clear()
    }

    /// Makes connections of a context trust these authorities and no others. The context keeps the store alive.
    func install(in handle: SSLContextHandle) {
        unsafe SSL_CTX_set1_cert_store(handle.raw, raw)
    }

    /// Whether the system has neither a directory nor a bundle, as in an image without ca-certificates.
    static var systemIsMissing: Bool {
        unsafe access(systemDirectory, R_OK) != 0 && access(systemBundle, R_OK) != 0
    }

    private static func path(_ variable: UnsafePointer<CChar>?, _ fallback: UnsafePointer<CChar>?) -> String {
        guard let variable = unsafe variable, let fallback = unsafe fallback else { return "" }
        return unsafe getenv(variable).map { unsafe String(cString: $0) } ?? String(cString: fallback)
    }
}

/// A file of authorities that is read when one is first missed. Lives as long as the process, as the system's store.
private final class AuthorityBundle: Sendable {
    private let path: String
    private let isLoaded = Mutex(false)

    init(path: String) { self.path = path }

    @unsafe func attach(to lookup: OpaquePointer) {
        unsafe X509_LOOKUP_set_method_data(lookup, Unmanaged.passRetained(self).toOpaque())
    }

    private func load(by lookup: OpaquePointer) {
        isLoaded.withLock { isLoaded in
            if isLoaded { return }
            isLoaded = true
            _ = unsafe X509_load_cert_file(lookup, path, X509_FILETYPE_PEM)
            OpenSSLErrorQueue.clear()
        }
    }

    /// The kind of lookup (X509_LOOKUP_meth_new(3)).
    nonisolated(unsafe) static let method: OpaquePointer = {
        guard let method = unsafe X509_LOOKUP_meth_new("sluice bundle") else {
            preconditionFailure("no memory for a lookup method")
        }
        _ = unsafe X509_LOOKUP_meth_set_get_by_subject(method, find)
        return unsafe method
    }()

    private static let find:
        @convention(c) (OpaquePointer?, X509_LOOKUP_TYPE, OpaquePointer?, OpaquePointer?) -> Int32 = {
            lookup, type, name, found in
            guard type == X509_LU_X509, let lookup = unsafe lookup,
                let pointer = unsafe X509_LOOKUP_get_method_data(lookup),
                let store = unsafe X509_LOOKUP_get_store(lookup)
            else { return 0 }
            unsafe Unmanaged<AuthorityBundle>.fromOpaque(pointer).takeUnretainedValue().load(by: lookup)
            unsafe X509_STORE_lock(store)
            defer { unsafe X509_STORE_unlock(store) }
            guard
                let object = unsafe X509_OBJECT_retrieve_by_subject(X509_STORE_get0_objects(store), X509_LU_X509, name)
            else { return 0 }
            return unsafe X509_OBJECT_set1_X509(found, X509_OBJECT_get0_X509(object))
        }
}
