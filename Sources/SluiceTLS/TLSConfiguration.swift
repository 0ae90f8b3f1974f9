/// A certificate with its private key, as two PEM files (they may be the same file).
package struct TLSIdentityFiles: Sendable, Equatable {
    /// The leaf first, then its intermediates.
    package var certificateFile: String
    /// PKCS#8, SEC1 or PKCS#1; not protected by a passphrase.
    package var privateKeyFile: String

    package init(certificateFile: String, privateKeyFile: String) {
        self.certificateFile = certificateFile
        self.privateKeyFile = privateKeyFile
    }
}

/// The versions that may be spoken. Nothing older than TLS 1.2 can be chosen (RFC 8996).
package enum TLSVersions: Sendable, Equatable {
    /// TLS 1.3 wherever the peer has it, TLS 1.2 otherwise.
    case tls12AndLater
    case tls12Only
    case tls13Only
}

/// TLS on a listener.
package struct DownstreamTLSConfiguration: Sendable, Equatable {
    /// What is asked of the client about its own certificate.
    package enum ClientCertificates: Sendable, Equatable {
        case ignored
        /// Asked for; a client without one is let in, one with a bad one is not.
        case optional(authoritiesFile: String)
        case required(authoritiesFile: String)
    }

    /// Chosen by the server name that the client asks for (SNI); the first one answers for every other name. Not empty.
    package var identities: [TLSIdentityFiles]
    package var clientCertificates = ClientCertificates.ignored
    /// In our order of preference. Empty: ALPN is not answered.
    package var applicationProtocols: [ApplicationProtocol] = [.http2, .http1]
    package var versions = TLSVersions.tls12AndLater

    package init(identities: [TLSIdentityFiles]) { self.identities = identities }
}

/// TLS to a cluster. Verification cannot be turned off.
package struct UpstreamTLSConfiguration: Sendable, Equatable {
    /// PEM file with the authorities to trust instead of the system's; `nil`: the system's. An intermediate or a
    /// self-signed certificate in it is trusted as it stands.
    package var authoritiesFile: String?
    /// What we show to an upstream that asks for a client certificate.
    package var identity: TLSIdentityFiles?
    /// What we offer, in order. Empty: ALPN is not used.
    package var applicationProtocols: [ApplicationProtocol] = [.http2, .http1]
    package var versions = TLSVersions.tls12AndLater
    /// Sessions kept for each host and port, to resume from; 0 to 16. 0: every connection makes a full handshake.
    package var sessionsKeptPerEndpoint = 4

    package init() {}
}
