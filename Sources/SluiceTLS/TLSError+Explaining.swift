internal import COpenSSL

extension TLSError {
    /// Turns what OpenSSL reports about a connection into an error that can be acted on.
    ///
    /// - Parameter peer: the host name of an upstream; `nil` for a downstream connection.
    static func explaining(
        _ errors: [OpenSSLErrorQueue.Entry], _ role: TLSContext.Role, peer: String?, _ opening: OpeningBytes,
        _ refused: RefusedCertificate?
    ) -> TLSError {
        let who = peer ?? "the client"
        if opening.isNotTLS { return notTLS(role, who, opening) }
        if let alert = errors.lazy.compactMap(\.alertReceived).first.map(TLSAlert.init(rawValue:)) {
            return TLSError(.alert(alert), "\(who) ended the connection with TLS alert \(alert)\(alert.advice)")
        }
        guard let first = errors.first(where: { $0.library == ERR_LIB_SSL }) ?? errors.first else {
            return TLSError(.violation, "the TLS connection with \(who) failed without a reason")
        }
        if first.library == ERR_LIB_SSL, let known = known(first.reason, who, peer, refused) { return known }
        return TLSError(.violation, "TLS with \(who) failed: \(first.text)")
    }

    static func closedInHandshake(_ role: TLSContext.Role, _ opening: OpeningBytes) -> TLSError {
        if opening.isNotTLS { return notTLS(role, "the peer", opening) }
        let reason =
            opening.count == 0 ? "without sending anything; does it speak TLS on this port?" : "in the middle of it"
        return TLSError(.closedInHandshake, "the peer closed the connection during the TLS handshake, \(reason)")
    }

    private static func notTLS(_ role: TLSContext.Role, _ who: String, _ opening: OpeningBytes) -> TLSError {
        if opening.isText, role == .downstream {
            return TLSError(.plainHTTP, "\(who) sent plain text, such as http, to a TLS port: use https")
        }
        if opening.isText {
            return TLSError(.notTLS, "\(who) does not speak TLS on this port: it answered in plain text; use http")
        }
        return TLSError(.notTLS, "\(who) does not speak TLS on this port")
    }

    private static func known(
        _ reason: Int32, _ who: String, _ peer: String?, _ refused: RefusedCertificate?
    ) -> TLSError? {
        switch reason {
        case SSL_R_CERTIFICATE_VERIFY_FAILED:
            refused?.error(peer: peer)
                ?? TLSError(.certificate(.unsuitable), "the certificate of \(who) could not be verified")
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
            TLSError(.certificateMissing, "the client showed no certificate and this listener requires one")
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_NO_PROTOCOLS_AVAILABLE, SSL_R_WRONG_SSL_VERSION,
            SSL_R_WRONG_VERSION_NUMBER, SSL_R_UNSUPPORTED_SSL_VERSION, SSL_R_VERSION_TOO_LOW,
            SSL_R_INAPPROPRIATE_FALLBACK:
            TLSError(.version, "\(who) offers no TLS version that is allowed here (TLS 1.2 and 1.3)")
        case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SHARED_GROUPS, SSL_R_NO_SUITABLE_KEY_SHARE,
            SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, SSL_R_UNKNOWN_CIPHER_RETURNED,
            SSL_R_WRONG_CIPHER_RETURNED, SSL_R_WRONG_CURVE, SSL_R_DH_KEY_TOO_SMALL, SSL_R_WRONG_SIGNATURE_TYPE:
            TLSError(.negotiation, "\(who) shares no cipher suite, group or signature algorithm with us")
        case SSL_R_NO_APPLICATION_PROTOCOL:
            TLSError(.negotiation, "\(who) offers no application protocol (ALPN) that is served here")
        case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, SSL_R_DECRYPTION_FAILED:
            TLSError(.violation, "a TLS record from \(who) was damaged on the way or forged")
        default:
            nil
        }
    }
}
