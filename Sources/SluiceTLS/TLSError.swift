/// Why a TLS context could not be built or a TLS connection cannot go on.
///
/// A connection that threw is finished: send what is in its `outbound` (the alert that tells the peer why), then close.
package struct TLSError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// A file, a name or an option of ours is wrong; the message says which.
        case configuration
        /// The first bytes were not a TLS record.
        case notTLS
        /// The first bytes were an HTTP request in clear text.
        case plainHTTP
        /// No common version: ours are TLS 1.2 and 1.3.
        case version
        /// No common cipher suite, group, signature algorithm or application protocol.
        case negotiation
        /// The peer's certificate was refused by us.
        case certificate(CertificateProblem)
        /// A client certificate is required and none came.
        case certificateMissing
        /// The peer ended the connection with a fatal alert (RFC 8446 §6.2).
        case alert(TLSAlert)
        /// The connection ended without close_notify: what came before may lack its end.
        case truncated
        /// The connection ended before the handshake did.
        case closedInHandshake
        /// The peer asked for a renegotiation or sent too many control messages.
        case abuse
        /// A record that is malformed, out of place or fails its authentication.
        case violation
        /// Bytes to send after `close()` or before the handshake was done.
        case notOpen
        /// OpenSSL itself failed, for want of memory for example.
        case library
    }

    package enum CertificateProblem: Sendable, Equatable {
        case expired, notYetValid, wrongName, unknownAuthority, selfSigned, revoked, unsuitable
    }

    package let kind: Kind
    /// One sentence that says what is wrong and what can be done. It may quote the peer's certificate, never a secret.
    package let message: String
    package var description: String { message }

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}

extension TLSError {
    /// The kind as one word of a closed set, for metrics and logs.
    package var label: StaticString {
        switch kind {
        case .configuration: "configuration"
        case .notTLS: "not_tls"
        case .plainHTTP: "plain_http"
        case .version: "version"
        case .negotiation: "negotiation"
        case .certificate(.expired): "certificate_expired"
        case .certificate(.notYetValid): "certificate_not_yet_valid"
        case .certificate(.wrongName): "certificate_wrong_name"
        case .certificate(.unknownAuthority): "certificate_unknown_authority"
        case .certificate(.selfSigned): "certificate_self_signed"
        case .certificate(.revoked): "certificate_revoked"
        case .certificate(.unsuitable): "certificate_unsuitable"
        case .certificateMissing: "certificate_missing"
        case .alert: "alert"
        case .truncated: "truncated"
        case .closedInHandshake: "closed_in_handshake"
        case .abuse: "abuse"
        case .violation: "violation"
        case .notOpen: "not_open"
        case .library: "library"
        }
    }
}
