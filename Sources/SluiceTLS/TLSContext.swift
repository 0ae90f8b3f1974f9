internal import COpenSSL

/// How connections of one listener or one cluster are set up: certificates, authorities, versions, protocols.
///
/// Never changes once built; all worker threads share it. Building one reads files and takes milliseconds: not for a
/// worker's thread.
@safe package final class TLSContext: Sendable {
    package enum Role: Sendable { case downstream, upstream }

    package let role: Role
    /// The certificates it was built from, in the configuration's order.
    package let certificates: [LoadedCertificate]
    /// What an operator should know though it works: an expired certificate, missing system authorities.
    package let warnings: [String]

    /// One for each certificate; connections start on the first.
    let handles: [SSLContextHandle]
    let identities: IdentityTable
    let applicationProtocols: [ApplicationProtocol]
    let sessionCache: SessionCache
    /// SHA-256 over the contents of all files read.
    let filesDigest: Digest

    init(
        role: Role, handles: [SSLContextHandle], certificates: [LoadedCertificate], identities: IdentityTable,
        applicationProtocols: [ApplicationProtocol], sessionsKeptPerEndpoint: Int, filesDigest: Digest,
        warnings: [String]
    ) {
        self.role = role
        self.handles = handles
        self.certificates = certificates
        self.identities = identities
        self.applicationProtocols = applicationProtocols
        self.sessionCache = SessionCache(keptPerEndpoint: sessionsKeptPerEndpoint)
        self.filesDigest = filesDigest
        self.warnings = warnings
    }

    /// The context whose certificate is for this server name; `nil`: the first one will do.
    func handle(forServerName name: String) -> SSLContextHandle? {
        identities.index(for: name).map { handles[$0] }
    }
}

extension TLSContext {
    /// AEAD with forward secrecy only (RFC 9325 §4.2). AES-128 first: the fastest where AES is in hardware.
    private static let tls12Ciphers =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
        + "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
    private static let tls13Ciphers =
        "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
    private static let groups = "X25519:P-256:P-384"

    /// A context with what both roles have in common.
    static func makeHandle(_ versions: TLSVersions) throws(TLSError) -> SSLContextHandle {
        let handle = try SSLContextHandle()
        let context = unsafe handle.raw
        let lowest = versions == .tls13Only ? TLS1_3_VERSION : TLS1_2_VERSION
        let highest = versions == .tls12Only ? TLS1_2_VERSION : TLS1_3_VERSION
        let isSet =
            unsafe shim_SSL_CTX_set_min_proto_version(context, lowest) == 1
            && shim_SSL_CTX_set_max_proto_version(context, highest) == 1
            && SSL_CTX_set_cipher_list(context, tls12Ciphers) == 1
            && SSL_CTX_set_ciphersuites(context, tls13Ciphers) == 1
            && shim_SSL_CTX_set1_groups_list(context, groups) == 1
        if !isSet {
            throw TLSError(.library, "OpenSSL lacks a cipher suite or group: \(OpenSSLErrorQueue.drainText())")
        }
        // A connection that just ends must show as an error: an answer cut short is not an answer.
        _ = unsafe SSL_CTX_clear_options(context, shim_SSL_OP_IGNORE_UNEXPECTED_EOF)
        _ = unsafe SSL_CTX_set_options(
            context,
            shim_SSL_OP_NO_RENEGOTIATION | shim_SSL_OP_NO_COMPRESSION | shim_SSL_OP_CIPHER_SERVER_PREFERENCE
                | shim_SSL_OP_PRIORITIZE_CHACHA)
        let modes = SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
        _ = unsafe shim_SSL_CTX_set_mode(context, Int(modes))
        unsafe SSL_CTX_set_msg_callback(context, TLSThunks.message)
        return handle
    }

    /// Gives a context its certificate, chain and key.
    static func install(
        _ certificateFile: FileBytes, _ keyFile: FileBytes, in handle: SSLContextHandle
    ) throws(TLSError) -> LoadedCertificate {
        var summary: CertificateSummary?
        try PEM.forEachCertificate(in: certificateFile) { (position, certificate) throws(TLSError) in
            let isTaken: Bool
            if position == 0 {
                summary = unsafe CertificateSummary(reading: certificate.raw)
                isTaken = unsafe SSL_CTX_use_certificate(handle.raw, certificate.raw) == 1
            } else {
                isTaken = unsafe shim_SSL_CTX_add1_chain_cert(handle.raw, certificate.raw) == 1
            }
            if !isTaken {
                let why = OpenSSLErrorQueue.drainText()
                throw TLSError(
                    .configuration, "\(certificateFile.path): certificate \(position + 1) cannot be used: \(why)")
            }
        }
        guard let summary else { throw TLSError(.configuration, "\(certificateFile.path) holds no certificate") }
        try install(keyFile, for: summary, certificateFile, in: handle)
        return LoadedCertificate(file: certificateFile.path, summary: summary)
    }

    private static func install(
        _ keyFile: FileBytes, for summary: CertificateSummary, _ certificateFile: FileBytes, in handle: SSLContextHandle
    ) throws(TLSError) {
        let key = try PEM.privateKey(in: keyFile)
        let isInstalled = unsafe SSL_CTX_use_PrivateKey(handle.raw, key.raw) == 1
        if isInstalled, unsafe SSL_CTX_check_private_key(handle.raw) == 1 { return }
        let errors = OpenSSLErrorQueue.drain()
        let isMismatch = errors.contains { error in
            switch (error.library, error.reason) {
            case (ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH), (ERR_LIB_X509, X509_R_KEY_TYPE_MISMATCH): true
            case (ERR_LIB_SSL, SSL_R_NO_CERTIFICATE_ASSIGNED): true  // a key of another kind than the certificate's
            default: false
            }
        }
        if !isMismatch {
            let why = errors.first?.text ?? "unknown"
            throw TLSError(.configuration, "\(keyFile.path): the private key cannot be used: \(why)")
        }
        let subject = summary.commonName ?? summary.dnsNames.first ?? summary.serialNumber
        throw TLSError(
            .configuration,
            "the private key in \(keyFile.path) does not belong to the first certificate in "
                + "\(certificateFile.path) (\(subject)); the server's own certificate must come before its chain")
    }

    /// What is worth a warning about certificates that were loaded.
    static func warnings(about certificates: [LoadedCertificate], at now: Int64) -> [String] {
        certificates.compactMap { certificate in
            let summary = certificate.summary
            if summary.notAfter <= now {
                return "\(certificate.file): the certificate expired on \(CalendarText.minute(summary.notAfter))"
            }
            if summary.notBefore > now {
                return "\(certificate.file): the certificate is not valid before "
                    + CalendarText.minute(summary.notBefore)
            }
            return nil
        }
    }
}

extension TLSContext {
    /// Whether another was built from files with the same contents: connections need not be made anew for it.
    package func hasSameFiles(as other: TLSContext) -> Bool { filesDigest == other.filesDigest }

    /// The same for two that were built from files with the same contents.
    package var filesIdentity: String { filesDigest.hexadecimal }
}
