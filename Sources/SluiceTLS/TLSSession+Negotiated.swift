internal import COpenSSL

extension TLSSession {
    /// What was agreed; `nil` before the handshake is done.
    package var negotiated: TLSNegotiated? {
        if !isEstablished { return nil }
        return unsafe TLSNegotiated(reading: handle.raw, Self.applicationProtocol(of: handle.raw) ?? .none)
    }

    /// The certificate that the peer showed and that was verified; `nil` if it showed none, or before the handshake.
    package var peerCertificate: CertificateSummary? {
        guard isEstablished, let certificate = unsafe SSL_get0_peer_certificate(handle.raw) else { return nil }
        return unsafe CertificateSummary(reading: certificate)
    }

    /// `nil` for a protocol that we do not speak.
    static func applicationProtocol(of ssl: OpaquePointer) -> ApplicationProtocol? {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &name, &count)
        guard let name = unsafe name, count > 0 else { return ApplicationProtocol.none }
        return ApplicationProtocol(name: unsafe Span(_unsafeStart: name, count: Int(count)))
    }
}
