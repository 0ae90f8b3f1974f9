internal import COpenSSL

/// What the two sides of a connection agreed on.
package struct TLSNegotiated: Sendable, Equatable {
    package enum Version: Sendable, Equatable { case tls12, tls13 }

    package var applicationProtocol: ApplicationProtocol
    package var version: Version
    /// OpenSSL's name of the cipher suite.
    package var cipher: String
    /// The host name that the client asked for (RFC 6066 §3), as it spelled it; `nil` if it did not.
    package var serverName: String?
    /// Whether a session was resumed: no certificate was sent, the one checked then counts.
    package var isResumed: Bool
}

extension TLSNegotiated {
    @unsafe init(reading ssl: OpaquePointer, _ applicationProtocol: ApplicationProtocol) {
        let name = unsafe SSL_CIPHER_get_name(SSL_get_current_cipher(ssl))
        self.applicationProtocol = applicationProtocol
        version = unsafe SSL_version(ssl) >= TLS1_3_VERSION ? .tls13 : .tls12
        cipher = unsafe name.map { unsafe String(cString: $0) } ?? ""
        serverName = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name).map { unsafe String(cString: $0) }
        isResumed = unsafe SSL_session_reused(ssl) == 1
    }
}
