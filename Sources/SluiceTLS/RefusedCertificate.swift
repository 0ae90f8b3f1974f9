internal import COpenSSL

/// The certificate that did not verify, and why, as OpenSSL tells it in the middle of a handshake.
struct RefusedCertificate {
    let code: Int32
    /// 0 is the peer's own certificate, 1 the one that signed it, and so on.
    let depth: Int32
    let summary: CertificateSummary?

    @unsafe init(_ store: OpaquePointer) {
        code = unsafe X509_STORE_CTX_get_error(store)
        depth = unsafe X509_STORE_CTX_get_error_depth(store)
        summary = unsafe X509_STORE_CTX_get_current_cert(store).map { unsafe CertificateSummary(reading: $0) }
    }

    var problem: TLSError.CertificateProblem {
        switch code {
        case X509_V_ERR_CERT_HAS_EXPIRED: .expired
        case X509_V_ERR_CERT_NOT_YET_VALID: .notYetValid
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: .wrongName
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: .selfSigned
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
            .unknownAuthority
        case X509_V_ERR_CERT_REVOKED: .revoked
        default: .unsuitable
        }
    }

    /// - Parameter peer: the name that was expected; `nil` when a client's certificate was refused.
    func error(peer: String?) -> TLSError {
        let owner = peer.map { "certificate verify failed for \($0)" } ?? "certificate verify failed for the client"
        return TLSError(.certificate(problem), "\(owner): \(reason(peer: peer))")
    }

    private func reason(peer: String?) -> String {
        let names = summary?.checkedNames ?? ""
        let file = peer == nil ? "the authorities file for client certificates" : "ca_file"
        switch problem {
        case .expired:
            return "\(subject) expired on \(CalendarText.minute(summary?.notAfter ?? 0))"
        case .notYetValid:
            let start = CalendarText.minute(summary?.notBefore ?? 0)
            return "\(subject) is not valid before \(start); is this machine's clock right?"
        case .wrongName:
            return "the certificate is not for that name: \(names)"
        case .selfSigned where depth == 0:
            return "\(subject) is self-signed; to trust it, put it into \(file)"
        case .selfSigned:
            return "self-signed certificate in chain: \(subject) is not trusted here; to trust it, put it into \(file)"
        case .unknownAuthority:
            return "\(subject) was issued by \(issuer), which is not known here: the peer did not send its "
                + "intermediate certificates, or \(file) has to hold that authority"
        case .revoked:
            return "\(subject) is revoked"
        case .unsuitable:
            let words = unsafe X509_verify_cert_error_string(Int(code)).map { unsafe String(cString: $0) }
            return "\(subject): \(words ?? "error \(code)")"
        }
    }

    private var subject: String {
        let name = summary.flatMap { $0.commonName ?? $0.dnsNames.first ?? $0.uris.first }
        let role = depth == 0 ? "its certificate" : "the authority's certificate"
        return name.map { "\(role) (\($0))" } ?? role
    }

    private var issuer: String { summary?.issuerCommonName.map { "\"\($0)\"" } ?? "an authority without a name" }
}
