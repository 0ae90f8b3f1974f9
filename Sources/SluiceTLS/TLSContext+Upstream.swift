internal import COpenSSL
internal import Glibc

extension TLSContext {
    /// Builds the context of a cluster. Its connections check the peer's certificate and name, always.
    ///
    /// - Throws: `.configuration`, naming the file and what is wrong with it. An expired client certificate and missing
    ///   system authorities are warnings.
    package convenience init(upstream configuration: UpstreamTLSConfiguration) throws(TLSError) {
        try self.init(upstream: configuration, system: TrustStore.system)
    }

    convenience init(
        upstream configuration: UpstreamTLSConfiguration, system: Result<TrustStore, TLSError>
    ) throws(TLSError) {
        let handle = try Self.makeHandle(configuration.versions)
        var hash = SHA256()
        var warnings: [String] = []
        if let path = configuration.authoritiesFile {
            let file = try FileBytes(path: path)
            hash.update(file.span)
            try TrustStore(file).install(in: handle)
        } else {
            try system.get().install(in: handle)
            if TrustStore.systemIsMissing {
                warnings.append(
                    "no certificate authorities on this system: install ca-certificates or set ca_file")
            }
        }
        var certificates: [LoadedCertificate] = []
        if let identity = configuration.identity {
            let certificateFile = try FileBytes(path: identity.certificateFile)
            let keyFile = try FileBytes(path: identity.privateKeyFile)
            hash.update(SHA256.hash(certificateFile.span).span)
            hash.update(SHA256.hash(keyFile.span).span)
            certificates.append(try Self.install(certificateFile, keyFile, in: handle))
        }
        try Self.setUpUpstream(handle, configuration)
        warnings += Self.warnings(about: certificates, at: Int64(time(nil)))
        self.init(
            role: .upstream, handles: [handle], certificates: certificates, identities: IdentityTable(),
            applicationProtocols: configuration.applicationProtocols,
            sessionsKeptPerEndpoint: configuration.sessionsKeptPerEndpoint, filesDigest: hash.finish(),
            warnings: warnings)
    }

    private static func setUpUpstream(
        _ handle: SSLContextHandle, _ configuration: UpstreamTLSConfiguration
    ) throws(TLSError) {
        let context = unsafe handle.raw
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, TLSThunks.verify)
        if configuration.sessionsKeptPerEndpoint > 0 {
            let mode = SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL
            _ = unsafe shim_SSL_CTX_set_session_cache_mode(context, Int(mode))
            unsafe SSL_CTX_sess_set_new_cb(context, TLSThunks.newSession)
        } else {
            _ = unsafe shim_SSL_CTX_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
        }
        let offer = ApplicationProtocol.wireFormat(configuration.applicationProtocols)
        if offer.isEmpty { return }
        let refused = unsafe offer.withUnsafeBufferPointer { bytes in
            unsafe SSL_CTX_set_alpn_protos(context, bytes.baseAddress, UInt32(bytes.count))
        }
        if refused != 0 { throw TLSError(.library, "ALPN: \(OpenSSLErrorQueue.drainText())") }
    }
}
