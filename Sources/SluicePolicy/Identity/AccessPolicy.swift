internal import Synchronization

/// Who may come in, and what roles mean: one configuration's `access`. Immutable; shared by all workers.
package final class AccessPolicy: Sendable {
    /// What is known of somebody, whatever he shows.
    package struct User: Sendable, Equatable {
        package var roles: [String]
        package var team: String?
        package var businessLine: String?

        package init(roles: [String] = [], team: String? = nil, businessLine: String? = nil) {
            self.roles = roles
            self.team = team
            self.businessLine = businessLine
        }
    }

    package struct Settings: Sendable {
        /// Who connects from this machine without showing anything; `nil`: he has to.
        package var local: Local?
        /// Whether the admin port demands a credential even of this machine.
        package var adminDemandsCredential = false
        /// Credentials that an address may show wrong within a minute, before it is told to wait.
        package var failuresPerMinute = 30

        package init() {}
    }

    /// Whom a place stands for.
    package struct Local: Sendable, Equatable {
        package var roles: [String] = [Role.app.name]
        package var user: String?
        package var team: String?
        package var businessLine: String?
        package var mayClaim = true

        package init() {}
    }

    /// No other policy of the process has it: what was made under one is told by it from what holds under another.
    package let number: UInt32
    package let settings: Settings
    private let roles: [String: Role]
    private let users: [String: User]
    /// What keys are hashed with.
    package let pepper: KeyPepper
    /// Those of the configuration. There are others, which the process keeps.
    package let keys: KeyTable
    package let verifiers: [any CredentialVerifier]
    /// Who shows nothing on this machine's own addresses; `nil`: nobody may.
    package let local: Principal?
    /// Who shows nothing where a listener says that it trusts everyone.
    package let anyone: Principal
    private let standings = Mutex<[StandingKey: Standing]>([:])

    private struct StandingKey: Hashable {
        let team: String?
        let businessLine: String?
        let roles: [String]
        let modelBound: [String]?
    }

    private static let numbers = Atomic<Int>(0)
    /// How many combinations are remembered: tokens choose among them.
    private static let standingsMax = 4096

    /// - Parameters:
    ///   - roles: beside those that are built in, or in place of them.
    ///   - keys: those that the configuration names.
    package init(
        settings: Settings = Settings(), roles: [Role] = [], users: [String: User] = [:],
        pepper: KeyPepper = KeyPepper(),
        verifiers: [any CredentialVerifier] = [], keys: [KeyRecord] = []
    ) {
        number = UInt32(truncatingIfNeeded: Self.numbers.add(1, ordering: .relaxed).newValue)
        self.settings = settings
        self.roles = Dictionary((Role.builtIn + roles).map { ($0.name, $0) }, uniquingKeysWith: { _, last in last })
        self.users = users
        self.pepper = pepper
        self.verifiers = verifiers
        self.keys = KeyTable(keys)
        let known = self.roles
        func placed(_ id: String, _ place: Local) -> Principal {
            Principal(
                id: id, kind: .local, user: place.user, team: place.team, businessLine: place.businessLine,
                roles: place.roles, access: Access(place.roles.compactMap { known[$0] }), mayClaim: place.mayClaim)
        }
        local = settings.local.map { placed("local", $0) }
        anyone = placed("anyone", settings.local ?? Local())
    }

    // MARK: Who is who

    package func user(named name: String) -> User? { users[name] }
    package func role(named name: String) -> Role? { roles[name] }
    package var roleNames: [String] { roles.keys.sorted() }

    /// What roles allow together; one that nobody knows allows nothing.
    ///
    /// - Parameter modelBound: if given, no other models than these.
    package func access(roles names: [String], modelBound: [String]? = nil) -> Access {
        standing(StandingKey(team: nil, businessLine: nil, roles: names, modelBound: modelBound)).access
    }

    private func standing(_ key: StandingKey) -> Standing {
        if let known = standings.withLock({ $0[key] }) { return known }
        let standing = Standing(
            team: key.team, businessLine: key.businessLine, roles: key.roles,
            access: Access(key.roles.compactMap { roles[$0] }, modelBound: key.modelBound))
        standings.withLock { standings in
            if standings.count >= Self.standingsMax { standings = [:] }
            standings[key] = standing
        }
        return standing
    }

    /// A principal as a credential describes it: what that leaves open is as `users` has it.
    package func principal(
        id: String, kind: PrincipalKind, user: String?, team: String? = nil, businessLine: String? = nil,
        roles: [String]? = nil, modelBound: [String]? = nil, tenant: String? = nil, mayClaim: Bool? = nil
    ) -> Principal {
        let known = user.flatMap { users[$0] }
        let standing = standing(
            StandingKey(
                team: team ?? known?.team, businessLine: businessLine ?? known?.businessLine,
                roles: roles ?? known?.roles ?? [], modelBound: modelBound))
        return Principal(
            id: id, kind: kind, user: user, tenant: tenant, standing, mayClaim: mayClaim ?? standing.access.mayClaim)
    }
}
