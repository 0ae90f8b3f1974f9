internal import COpenSSL
internal import Glibc
internal import SluiceCore

/// The files of a downstream context, read once, so that what is compared is what is loaded.
struct DownstreamFiles {
    let identities: [(certificate: FileBytes, privateKey: FileBytes)]
    let authorities: FileBytes?
    let digest: Digest

    init(_ configuration: DownstreamTLSConfiguration) throws(TLSError) {
        var hash = SHA256()
        var identities: [(certificate: FileBytes, privateKey: FileBytes)] = []
        for files in configuration.identities {
            let certificate = try FileBytes(path: files.certificateFile)
            let privateKey = try FileBytes(path: files.privateKeyFile)
            hash.update(SHA256.hash(certificate.span).span)
            hash.update(SHA256.hash(privateKey.span).span)
            identities.append((certificate, privateKey))
        }
        switch configuration.clientCertificates {
        case .ignored: authorities = nil
        case .optional(let path), .required(let path): authorities = try FileBytes(path: path)
        }
        if let authorities { hash.update(SHA256.hash(authorities.span).span) }
        self.identities = identities
        digest = hash.finish()
    }

    /// A certificate that stands in no file.
    init(_ identity: IssuedCertificate, named name: String) {
        let certificate = FileBytes(copying: identity.certificate.span, named: name)
        let privateKey = identity.privateKey.withExposed { FileBytes(copying: $0, named: name) }
        var hash = SHA256()
        hash.update(SHA256.hash(certificate.span).span)
        hash.update(SHA256.hash(privateKey.span).span)
        identities = [(certificate, privateKey)]
        authorities = nil
        digest = hash.finish()
    }
}

extension TLSContext {
    /// Builds the context of a listener.
    ///
    /// - Throws: `.configuration`, naming the file and what is wrong with it. An expired certificate is a warning.
    package convenience init(downstream configuration: DownstreamTLSConfiguration) throws(TLSError) {
        try self.init(downstream: configuration, DownstreamFiles(configuration))
    }

    convenience init(downstream configuration: DownstreamTLSConfiguration, _ files: DownstreamFiles) throws(TLSError) {
        if files.identities.isEmpty { throw TLSError(.configuration, "TLS on a listener needs a certificate") }
        let authorities = try files.authorities.map { (file) throws(TLSError) in (try TrustStore(file), file) }
        var handles: [SSLContextHandle] = []
        var certificates: [LoadedCertificate] = []
        var table = IdentityTable()
        for identity in files.identities {
            let handle = try Self.makeHandle(configuration.versions)
            let certificate = try Self.install(identity.certificate, identity.privateKey, in: handle)
            try Self.setUpDownstream(handle, configuration, authorities)
            table.add(certificate.summary.dnsNames, handles.count)
            handles.append(handle)
            certificates.append(certificate)
        }
        self.init(
            role: .downstream, handles: handles, certificates: certificates, identities: table,
            applicationProtocols: configuration.applicationProtocols, sessionsKeptPerEndpoint: 0,
            filesDigest: files.digest, warnings: Self.warnings(about: certificates, at: Int64(time(nil))))
    }

    private static func setUpDownstream(
        _ handle: SSLContextHandle, _ configuration: DownstreamTLSConfiguration,
        _ authorities: (store: TrustStore, file: FileBytes)?
    ) throws(TLSError) {
        let context = unsafe handle.raw
        // Sessions live in tickets that clients keep (RFC 5077, RFC 8446 §4.6.1), sealed with the first context's key.
        _ = unsafe shim_SSL_CTX_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
        let purpose: StaticString = "sluice"
        _ = unsafe SSL_CTX_set_session_id_context(context, purpose.utf8Start, UInt32(purpose.utf8CodeUnitCount))
        _ = unsafe shim_SSL_CTX_set_tlsext_servername_callback(context, TLSThunks.serverName)
        if !configuration.applicationProtocols.isEmpty {
            unsafe SSL_CTX_set_alpn_select_cb(context, TLSThunks.applicationProtocol, nil)
        }
        guard let (store, file) = authorities else { return }
        var mode = SSL_VERIFY_PEER
        if case .required = configuration.clientCertificates { mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT }
        unsafe SSL_CTX_set_verify(context, mode, TLSThunks.verify)
        store.install(in: handle)
        try PEM.forEachCertificate(in: file) { (_, certificate) throws(TLSError) in
            _ = unsafe SSL_CTX_add_client_CA(context, certificate.raw)
        }
    }
}
