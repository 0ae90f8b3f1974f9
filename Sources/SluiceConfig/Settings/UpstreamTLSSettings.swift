/// How a server that we connect to is verified, and what it is shown.
package struct UpstreamTLSSettings: Sendable, Equatable {
    /// PEM; verifies the server in place of the system's authorities. Verification cannot be turned off.
    package var caFile: String?
    /// PEM; shown to the server, with its key.
    package var clientCertificateFile: String?
    package var clientKeyFile: String?
    /// The name to ask for and to verify; default: the host.
    package var serverName: String?

    package init() {}

    static func read(_ section: ConfigSection) -> Self {
        var tls = Self()
        tls.caFile = section.optionalFile(
            "ca_file", doc: "PEM file: the authorities to trust in place of the system's.")
        tls.clientCertificateFile = section.optionalFile(
            "client_certificate_file", doc: "PEM file: the certificate to show, then its chain.")
        tls.clientKeyFile = section.optionalFile("client_key_file", doc: "PEM file: the key of that certificate.")
        tls.serverName = section.optionalString(
            "server_name", bytes: 1...253, doc: "The name to ask for and to verify. null: the host.")
        if tls.clientCertificateFile != nil, tls.clientKeyFile == nil {
            section.mistake("client_certificate_file", "together with client_key_file")
        }
        if tls.clientKeyFile != nil, tls.clientCertificateFile == nil {
            section.mistake("client_key_file", "together with client_certificate_file")
        }
        return tls
    }
}
