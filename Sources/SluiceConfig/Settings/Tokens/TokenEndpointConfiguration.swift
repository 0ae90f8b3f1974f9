package import SluiceCore

/// Sluice's own token endpoint: client credentials for a short-lived token (RFC 6749 §4.4).
package struct TokenEndpointConfiguration: Sendable, Equatable {
    package enum Algorithm: String, Sendable, CaseIterable {
        case es256 = "ES256"
        case edDSA = "EdDSA"
    }

    /// One beside the API keys.
    package struct Client: Sendable, Equatable {
        package var id: String
        package var secret = Secret("")
        package var grant = GrantConfiguration()

        package init(id: String) { self.id = id }
    }

    package var issuer = "sluice"
    /// `aud` of its tokens.
    package var audience = "sluice"
    package var algorithm = Algorithm.es256
    /// 10 s to 1 h.
    package var lifetime = Duration.seconds(300)
    /// Empty: keys of its own, which end with the process.
    package var signingKeys: [Secret] = []
    /// 1 min to 30 days.
    package var rotation = Duration.seconds(86_400)
    /// Of one client. 1 to 1,000,000.
    package var requestsPerMinute = 60
    package var clients: [Client] = []

    package init() {}

    static let clientSecretByteCountMin = 16

    static func read(_ section: ConfigSection, _ roles: Set<String>) -> Self {
        var endpoint = Self()
        endpoint.issuer = section.string(
            "issuer", default: endpoint.issuer, bytes: 1...1024,
            doc: "`iss` of its tokens: a URL where others are to verify them, or any name.")
        endpoint.audience = section.string(
            "audience", default: endpoint.audience, bytes: 1...1024, doc: "`aud` of its tokens.")
        endpoint.algorithm = section.choice(
            "algorithm", default: endpoint.algorithm, doc: "How its own keys sign.")
        endpoint.lifetime = section.duration(
            "lifetime_ms", default: endpoint.lifetime, in: 10_000...3_600_000, doc: "How long a token is good for.")
        endpoint.signingKeys = section.values(
            "signing_keys", .secret(allowed: "PEM text, \"file:/path\" or \"env:NAME\""), count: 0...8,
            doc:
                "Private keys in PEM (P-256 or Ed25519): the first signs, all verify. Put a new one in front to change it. []: keys of its own, made at the start, which only this process knows."
        )
        endpoint.rotation = section.duration(
            "rotation_ms", default: endpoint.rotation, in: 60_000...2_592_000_000,
            doc: "Its own keys are replaced after so long; the one before verifies until its last token has ended.")
        endpoint.requestsPerMinute = section.integer(
            "requests_per_minute", default: endpoint.requestsPerMinute, in: 1...1_000_000,
            doc: "Tokens that one client gets within a minute.")
        endpoint.clients = section.dictionary(
            "clients", names: .identifier, count: 0...1000, doc: "Clients beside the API keys, by `client_id`."
        ) { name, section in
            var client = Client(id: name)
            client.secret = section.required(
                "secret",
                .secret(allowed: "a secret of at least \(clientSecretByteCountMin) bytes") {
                    $0.count >= clientSecretByteCountMin
                }, doc: "`client_secret`: 16 bytes or more.")
            client.grant = .read(section, roles)
            return client
        }
        return endpoint
    }
}
