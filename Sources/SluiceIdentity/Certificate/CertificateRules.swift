package import SluiceCore
package import SluicePolicy

/// Who clients are that have proved a certificate: rules over its names. Only what an authority has signed that the
/// listener trusts gets this far.
package struct CertificateRules: Sendable {
    /// What a rule looks at.
    package enum Name: Sendable, Equatable {
        /// A URI among the subject alternative names, as `spiffe://domain/ns/a/sa/b` (SPIFFE X.509-SVID §2).
        case uri(String)
        case dns(String)
        /// The subject's common name.
        case commonName(String)
        /// SHA-256 over the whole certificate, in lower-case hexadecimal.
        case fingerprint(String)
    }

    package struct Rule: Sendable {
        /// All of them have to match; a name may have one `*`.
        package var names: [Name]
        package var grant: Grant

        package init(_ names: [Name], grant: Grant) {
            self.names = names
            self.grant = grant
        }
    }

    /// The first that matches counts.
    package var rules: [Rule]

    package init(_ rules: [Rule]) { self.rules = rules }

    /// - Parameter now: seconds since 1970: a connection may outlive its certificate.
    package func verdict(
        _ certificate: ClientCertificate, under policy: AccessPolicy, at now: Int
    ) -> CredentialVerdict {
        if now >= certificate.notAfter { return .refused(.expired, of: id(certificate)) }
        if now < certificate.notBefore { return .refused(.notYetValid, of: id(certificate)) }
        guard let rule = rules.first(where: { $0.names.allSatisfy { Self.matches($0, certificate) } }) else {
            return .refused(.unknown, of: id(certificate))
        }
        return .principal(
            rule.grant.principal(id: id(certificate), kind: .certificate, user: name(certificate), under: policy))
    }

    private func id(_ certificate: ClientCertificate) -> String { "cert:" + name(certificate) }

    /// What it is called: its SPIFFE id, else its common name, else its first DNS name.
    private func name(_ certificate: ClientCertificate) -> String {
        certificate.uris.first { $0.hasPrefix("spiffe://") } ?? certificate.commonName ?? certificate.dnsNames.first
            ?? certificate.fingerprint
    }

    private static func matches(_ name: Name, _ certificate: ClientCertificate) -> Bool {
        switch name {
        case .uri(let pattern): certificate.uris.contains { NamePattern(pattern).matches($0) }
        case .dns(let pattern):
            certificate.dnsNames.contains { NamePattern(pattern.lowercased()).matches($0.lowercased()) }
        case .commonName(let pattern): certificate.commonName.map { NamePattern(pattern).matches($0) } ?? false
        case .fingerprint(let wanted): certificate.fingerprint == wanted
        }
    }
}
