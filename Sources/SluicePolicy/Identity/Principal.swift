/// Who asks, once that has been proved or is taken for granted. Immutable; one object is shared by all of its requests.
package final class Principal: Sendable {
    /// Stable and printable, for logs and records: `key:billing`, `jwt:https://issuer#subject`, `cert:CN`, `k8s:namespace/account`,
    /// `local`. Never a part of a credential.
    package let id: String
    package let kind: PrincipalKind
    package let user: String?
    package let team: String?
    package let businessLine: String?
    /// In the order in which they were given; the first is the one that limits and routes see.
    package let roles: [String]
    /// Whose cached answers and idempotency keys these are: the team, or the principal alone.
    package let tenant: String
    /// What its roles allow.
    package let access: Access
    /// Whether it may speak for others: what it says of users, teams and roles is believed then.
    package let mayClaim: Bool

    package init(
        id: String, kind: PrincipalKind, user: String? = nil, team: String? = nil, businessLine: String? = nil,
        roles: [String] = [], tenant: String? = nil, access: Access, mayClaim: Bool = false
    ) {
        self.id = id
        self.kind = kind
        self.user = user
        self.team = team
        self.businessLine = businessLine
        self.roles = roles
        self.tenant = tenant ?? team ?? id
        self.access = access
        self.mayClaim = mayClaim
    }

    /// Who has not been looked at yet: he may do nothing.
    package static let nobody = Principal(id: "nobody", kind: .local, tenant: "", access: .nothing)

    /// Who connects where a listener trusts everyone, and no configuration says otherwise.
    package static let anyone = Principal(
        id: "anyone", kind: .local, roles: [Role.app.name], tenant: "", access: Access([.app]), mayClaim: true)

    /// Who connects from this machine where no configuration says otherwise: it may do everything.
    package static let local = Principal(
        id: "local", kind: .local, roles: [Role.admin.name], tenant: "", access: .everything, mayClaim: true)
}

/// How a principal came to be one.
package enum PrincipalKind: String, Sendable, CaseIterable {
    /// By where it connected: nothing was shown.
    case local
    /// An API key that Sluice issued.
    case key
    /// A token whose signature was checked here.
    case token
    /// A token that its issuer was asked about.
    case introspected
    /// A client certificate.
    case certificate
    /// A Kubernetes service account.
    case serviceAccount = "service_account"
}
