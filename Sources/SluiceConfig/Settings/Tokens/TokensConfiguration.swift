/// Credentials that others issue, and those that Sluice's own token endpoint does: the part of `access` that is about tokens and
/// certificates.
package struct TokensConfiguration: Sendable, Equatable {
    /// Issuers whose keys are at a URL, in a file, or shared.
    package var jwt: [IssuerConfiguration] = []
    /// OpenID providers, which say themselves where their keys are.
    package var oidc: [IssuerConfiguration] = []
    package var introspection: IntrospectionConfiguration?
    package var tokenEndpoint: TokenEndpointConfiguration?
    package var mtls: CertificatesConfiguration?
    package var kubernetes: KubernetesConfiguration?
    /// How many tokens are remembered with who shows them. 16 to 10,000,000.
    package var verdictsMax = 10_000
    /// For how long, at most. 1 s to 1 h.
    package var verdictTime = Duration.seconds(300)

    package init() {}

    package var isEmpty: Bool { !admitsSomebody && tokenEndpoint == nil }

    /// Whether anybody can come in with one of these: the token endpoint alone lets in only its own clients.
    package var admitsSomebody: Bool {
        !jwt.isEmpty || !oidc.isEmpty || introspection != nil || mtls != nil || kubernetes != nil
            || tokenEndpoint?.clients.isEmpty == false
    }

    /// - Parameters:
    ///   - section: `access`.
    ///   - roles: those that there are.
    package static func read(_ section: ConfigSection, _ roles: Set<String>) -> Self {
        var tokens = Self()
        tokens.jwt = section.list(
            "jwt", count: 0...32, doc: "Issuers of JSON Web Tokens whose keys are at a URL, in a file, or a shared secret."
        ) { IssuerConfiguration.read($0, roles, isDiscovered: false) }
        tokens.oidc = section.list(
            "oidc", count: 0...32,
            doc: "OpenID providers: where their keys are they say themselves, under `/.well-known/openid-configuration`."
        ) { IssuerConfiguration.read($0, roles, isDiscovered: true) }
        tokens.introspection = section.optionalSection(
            "introspection", doc: "An authorization server that is asked about every token that is not known yet (RFC 7662).") { IntrospectionConfiguration.read($0, roles) }
        tokens.tokenEndpoint = section.optionalSection(
            "token_endpoint",
            doc: "Sluice's own `/oauth/token`, which gives short-lived tokens for API keys and clients (RFC 6749 §4.4).") { TokenEndpointConfiguration.read($0, roles) }
        tokens.mtls = section.optionalSection(
            "mtls", doc: "Who clients are that show a certificate. Listeners say whether one is asked for.") { CertificatesConfiguration.read($0, roles) }
        tokens.kubernetes = section.optionalSection(
            "kubernetes", doc: "Service accounts of a Kubernetes cluster.") { KubernetesConfiguration.read($0, roles) }
        tokens.verdictsMax = section.integer(
            "token_verdicts_max", default: tokens.verdictsMax, in: 16...10_000_000,
            doc: "How many tokens are remembered together with who shows them.")
        tokens.verdictTime = section.duration(
            "token_verdict_ms", default: tokens.verdictTime, in: 1000...3_600_000,
            doc: "For how long a token is remembered at most: after that it is checked anew.")
        tokens.checkIssuers(section)
        return tokens
    }

    private func checkIssuers(_ section: ConfigSection) {
        var taken: Set<String> = []
        for (key, issuers) in [("jwt", jwt), ("oidc", oidc)] {
            for issuer in issuers where !issuer.issuer.isEmpty && !taken.insert(issuer.issuer).inserted {
                section.mistake(key, "issuers that differ, found \(ConfigPath.quoted(issuer.issuer)) again")
            }
        }
        if let own = tokenEndpoint?.issuer, taken.contains(own) {
            section.mistake("token_endpoint", "an issuer that no other one is called by")
        }
        if let cluster = kubernetes?.issuer, kubernetes?.verification == .keys, taken.contains(cluster) {
            section.mistake("kubernetes", "an issuer that no other one is called by")
        }
    }
}
