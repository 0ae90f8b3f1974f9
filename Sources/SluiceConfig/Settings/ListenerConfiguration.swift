/// One address on which applications connect.
package struct ListenerConfiguration: Sendable, Equatable {
    /// Default 127.0.0.1:4010.
    package var address = ListenAddress.ip4("127.0.0.1", port: 4010)
    /// Without it connections are not encrypted.
    package var tls: TLS?
    /// Whether HTTP/2 is spoken beside HTTP/1.1: by prior knowledge, and by ALPN under TLS. Default true.
    package var http2 = true
    /// Default auto.
    package var trust = Trust.auto

    package init() {}
    package init(address: ListenAddress) { self.address = address }

    /// Whom it takes at his word.
    package enum Trust: String, Sendable, CaseIterable {
        /// This machine; whoever comes from elsewhere has to show who he is.
        case auto
        /// Whoever can connect.
        case everyone
    }

    package struct TLS: Sendable, Equatable {
        /// At least one; which one is shown depends on the name that was asked for, and the first is shown otherwise.
        package var certificates: [Certificate] = []
        /// PEM; verifies certificates of clients.
        package var clientCAFile: String?
        /// Default none.
        package var clientCertificate = ClientCertificate.none
        package init() {}
    }

    package struct Certificate: Sendable, Equatable {
        /// PEM, the leaf first. Loaded again when the file changes.
        package var certificateFile: String
        /// PEM.
        package var keyFile: String

        package init(certificateFile: String, keyFile: String) {
            self.certificateFile = certificateFile
            self.keyFile = keyFile
        }
    }

    package enum ClientCertificate: String, Sendable, CaseIterable { case none, optional, required }

    package static func read(_ section: ConfigSection) -> Self {
        var result = Self()
        result.address = section.value(
            "address", .listenAddress, default: result.address,
            doc: "Where to listen. Port 0 takes any free port; `*` is every address of the machine.")
        result.tls = section.optionalSection("tls", doc: "Encrypts connections (TLS 1.2 and 1.3).", readTLS)
        result.http2 = section.boolean(
            "http2", default: result.http2,
            doc: "Speaks HTTP/2 beside HTTP/1.1 on this port: by prior knowledge, and by ALPN under TLS.")
        result.trust = section.choice(
            "trust", default: result.trust,
            doc:
                "Who need not show a credential. `auto`: nobody, but where only this machine can connect, as `access.local` has it. `everyone`: whoever can connect."
        )
        return result
    }

    private static func readTLS(_ section: ConfigSection) -> TLS {
        var tls = TLS()
        tls.certificates = section.list(
            "certificates", count: 1...100,
            doc: "The certificates to show. The name that was asked for chooses; the first is shown otherwise."
        ) { section in
            Certificate(
                certificateFile: section.file("certificate_file", doc: "PEM file: the certificate, then its chain."),
                keyFile: section.file("key_file", doc: "PEM file: the private key."))
        }
        tls.clientCAFile = section.optionalFile(
            "client_ca_file", doc: "PEM file: the authorities whose client certificates are accepted.")
        tls.clientCertificate = section.choice(
            "client_certificate", default: tls.clientCertificate,
            doc: "Whether a client must show a certificate, may, or is not asked.")
        if tls.clientCertificate != .none, !section.has("client_ca_file") {
            section.mistake("client_certificate", "none, unless client_ca_file is given too")
        }
        if tls.clientCertificate == .none, tls.clientCAFile != nil {
            section.mistake("client_ca_file", "without effect unless client_certificate is optional or required")
        }
        return tls
    }
}
