/// Service accounts of a Kubernetes cluster.
package struct KubernetesConfiguration: Sendable, Equatable {
    package enum Verification: String, Sendable, CaseIterable {
        /// By the cluster's keys, here.
        case keys
        /// By the API server: a deleted account or pod is seen at once.
        case tokenReview = "token_review"
    }

    package struct Rule: Sendable, Equatable {
        package var namespace = "*"
        package var name = "*"
        package var grant = GrantConfiguration()

        package init() {}
    }

    package var verification = Verification.keys
    package var server = "https://kubernetes.default.svc"
    package var issuer = "https://kubernetes.default.svc.cluster.local"
    /// At least one.
    package var audiences: [String] = []
    /// `nil`: the one that is mounted, if there is one.
    package var tokenFile: String?
    package var rules: [Rule] = []
    /// For token reviews. 0 to 10 min.
    package var cacheTime = Duration.seconds(30)
    package var clockSkew = Duration.seconds(60)
    package var connection = IdentityConnectionConfiguration()

    /// Where a pod finds what it needs to talk with its cluster.
    package static let mounted = "/var/run/secrets/kubernetes.io/serviceaccount/"

    package init() {}

    static func read(_ section: ConfigSection, _ roles: Set<String>) -> Self {
        var kubernetes = Self()
        kubernetes.verification = section.choice(
            "verification", default: kubernetes.verification,
            doc: "`keys`: with the cluster's keys, here. `token_review`: by asking the API server about each token.")
        kubernetes.server = section.string(
            "server", default: kubernetes.server, bytes: 1...1024, doc: "The API server.")
        kubernetes.issuer = section.string(
            "issuer", default: kubernetes.issuer, bytes: 1...1024,
            doc: "`iss` of the cluster's tokens, for `keys`: `kubectl get --raw /.well-known/openid-configuration` shows it.")
        kubernetes.audiences = section.strings(
            "audiences", bytes: 1...1024, count: 1...32,
            doc: "Tokens have to be for one of these: what `serviceAccountToken.audience` of pods says. At least one.")
        if kubernetes.audiences.isEmpty, !section.has("audiences") {
            section.mistake("audiences", "required: the API server's own tokens must not count here")
        }
        kubernetes.tokenFile = section.optionalString(
            "token_file", bytes: 1...4096,
            doc: "Sluice's own token for the API server, read whenever it is needed. null: the pod's, if there is one.")
        kubernetes.connection = .read(section)
        kubernetes.connection.check("server", kubernetes.server, section)
        kubernetes.cacheTime = section.duration(
            "cache_ms", default: kubernetes.cacheTime, in: 0...600_000,
            doc: "For `token_review`: for how long an answer is believed.")
        kubernetes.clockSkew = section.duration(
            "clock_skew_ms", default: kubernetes.clockSkew, in: 0...600_000,
            doc: "How far the cluster's clock may be from this one.")
        kubernetes.rules = section.list(
            "rules", count: 0...1000,
            doc: "What service accounts may do. The first rule that matches counts; without one an account has no role."
        ) { section in
            var rule = Rule()
            rule.namespace = section.string(
                "namespace", default: rule.namespace, bytes: 1...253, doc: "Its namespace; one `*` stands for any text.")
            rule.name = section.string(
                "name", default: rule.name, bytes: 1...253, doc: "Its name; one `*` stands for any text.")
            rule.grant = .read(section, roles)
            return rule
        }
        return kubernetes
    }
}
