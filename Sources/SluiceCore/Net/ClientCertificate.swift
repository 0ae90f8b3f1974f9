/// What a client's certificate says, once it has been proved: signed by an authority that the listener trusts, and its key shown.
package final class ClientCertificate: Sendable {
    package let commonName: String?
    /// Subject alternative names (RFC 5280 §4.2.1.6).
    package let dnsNames: [String]
    package let uris: [String]
    /// SHA-256 over the whole certificate, in lower-case hexadecimal.
    package let fingerprint: String
    /// Seconds since 1970.
    package let notBefore: Int
    package let notAfter: Int

    package init(
        commonName: String?, dnsNames: [String] = [], uris: [String] = [], fingerprint: String, notBefore: Int,
        notAfter: Int
    ) {
        self.commonName = commonName
        self.dnsNames = dnsNames
        self.uris = uris
        self.fingerprint = fingerprint
        self.notBefore = notBefore
        self.notAfter = notAfter
    }
}
