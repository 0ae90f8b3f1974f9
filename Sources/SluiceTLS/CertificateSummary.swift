/// What a certificate says about whom it belongs to.
///
/// Text comes from the certificate: whoever made it chose it. A name with control characters is left out.
package struct CertificateSummary: Sendable, Equatable {
    /// The subject's first common name. Never use it to identify a host (RFC 9525 §1.4).
    package var commonName: String?
    package var issuerCommonName: String?
    /// The subject alternative names (RFC 5280 §4.2.1.6), each kind in the certificate's order, `namesMax` at most.
    package var dnsNames: [String] = []
    package var uris: [String] = []
    package var emails: [String] = []
    package var ipAddresses: [String] = []
    /// Upper-case hexadecimal.
    package var serialNumber: String
    /// SHA-256 over the whole certificate.
    package var fingerprint: Digest
    /// Seconds since 1970, UTC.
    package var notBefore: Int64
    package var notAfter: Int64

    package static let namesMax = 256

    /// The names that a connection is checked against, to show in a message.
    var checkedNames: String {
        let all = dnsNames + ipAddresses
        if all.isEmpty { return "it holds no DNS name and no IP address" }
        let shown = all.prefix(8).joined(separator: ", ")
        return all.count > 8 ? "it is for \(shown) and \(all.count - 8) more" : "it is for \(shown)"
    }
}

/// A certificate that a context was built from.
package struct LoadedCertificate: Sendable, Equatable {
    package var file: String
    package var summary: CertificateSummary
}
