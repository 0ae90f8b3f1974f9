/// Who asks, once that has been proved or is taken for granted. Immutable; one object is shared by all of its requests.
package final class Principal: Sendable {
    /// Stable and printable, for logs and records: `key:billing`, `jwt:https://issuer#subject`, `cert:CN`,
    /// `k8s:namespace/account`, `local`. Never a part of a credential.
    package let id: String
    package let kind: PrincipalKind
    package let user: String?
    /// Whose cached answers and idempotency keys these are: the team, or the principal alone.
    package let tenant: String
    /// What it has in common with others.
    private let standing: Standing
    /// Whether it may speak for others: what it says of users, teams and roles is believed then.
    package let mayClaim: Bool

    package convenience init(
        id: String, kind: PrincipalKind, user: String? = nil, team: String? = nil, businessLine: String? = nil,
        roles: [String] = [], tenant: String? = nil, access: Access, mayClaim: Bool = false
    ) {
        self.init(
            id: id, kind: kind, user: user, tenant: tenant,
            Standing(team: team, businessLine: businessLine, roles: roles, access: access), mayClaim: mayClaim)
    }

    init(id: String, kind: PrincipalKind, user: String?, tenant: String?, _ standing: Standing, mayClaim: Bool) {
        self.id = id
        self.kind = kind
        self.user = user
        self.tenant = tenant ?? standing.team ?? id
        self.standing = standing
        self.mayClaim = mayClaim
    }

    package var team: String? { standing.team }
    package var businessLine: String? { standing.businessLine }
    /// In the order in which they were given; the first is the one that limits and routes see.
    package var roles: [String] { standing.roles }
    /// What its roles allow.
    package var access: Access { standing.access }

    /// Who has not been looked at yet: he may do nothing.
    package static let nobody = Principal(id: "nobody", kind: .local, tenant: "", access: .nothing)

    /// Who connects where a listener trusts everyone, and no configuration says otherwise.
    package static let anyone = Principal(
        id: "anyone", kind: .local, roles: [Role.app.name], tenant: "", access: Access([.app]), mayClaim: true)

    /// Who connects from this machine where no configuration says otherwise: it may do everything.
    package static let local = Principal(
        id: "local", kind: .local, roles: [Role.admin.name], tenant: "", access: .everything, mayClaim: true)
}

/// Where principals stand: one object for all that stand in the same place, as there may be 100,000 of them.
final class Standing: Sendable {
    let team: String?
    let businessLine: String?
    let roles: [String]
    let access: Access

    init(team: String?, businessLine: String?, roles: [String], access: Access) {
        self.team = team
        self.businessLine = businessLine
        self.roles = roles
        self.access = access
    }
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
