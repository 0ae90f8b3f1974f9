/// Who a token is of: which of its claims say it, and what that is worth here.
package struct ClaimsConfiguration: Sendable, Equatable {
    package var user = "sub"
    package var roles: String?
    package var team: String?
    package var businessLine: String?
    package var tenant: String?
    package var roleMap: [Named<[String]>] = []
    package var scopeRoles: [Named<[String]>] = []
    package var defaultRoles: [String] = []

    package init() {}

    static func read(_ section: ConfigSection, _ roles: Set<String>) -> Self {
        var claims = Self()
        section.section(
            "claims",
            doc: "Which claims say who somebody is. A name that begins with a slash is a JSON pointer (`/realm_access/roles`)."
        ) { claims.readNames($0) }
        claims.roleMap = section.dictionary(
            "role_map", of: .roles, names: .claim, count: 0...1000,
            doc: "What a value of the `roles` claim gives. Empty: the role of that name.")
        .map { Named($0.name, $0.value) }
        claims.scopeRoles = section.dictionary(
            "scope_roles", of: .roles, names: .claim, count: 0...1000,
            doc: "Roles that a scope of the token gives (`scope`, names with spaces between). Others give nothing.")
        .map { Named($0.name, $0.value) }
        claims.defaultRoles = AccessConfiguration.roles(
            section, roles, key: "default_roles",
            doc: "Roles of whoever has no other. []: who is not among `access.users` may do nothing.")
        for (key, map) in [("role_map", claims.roleMap), ("scope_roles", claims.scopeRoles)] {
            for role in map.flatMap(\.value) where !roles.contains(role) && !role.isEmpty {
                section.mistake(key, "roles that there are, found \(ConfigPath.quoted(role))")
            }
        }
        return claims
    }

    private mutating func readNames(_ section: ConfigSection) {
        func name(_ key: String, _ doc: String) -> String? { section.optionalString(key, bytes: 1...256, doc: doc) }
        user = section.string("user", default: user, bytes: 1...256, doc: "The user, as limits and records have him.")
        roles = name("roles", "Roles: a list, or names with spaces between. null: no claim gives roles.")
        team = name("team", "The team.")
        businessLine = name("business_line", "The business line.")
        tenant = name("tenant", "Who shares cached answers and idempotency keys. null: the team, else the principal alone.")
    }
}

extension ConfigRule where Value == [String] {
    /// A name, or a list of names.
    static var roles: ConfigRule {
        ConfigRule(type: "role, or a list of them", allowed: "names of roles", placeholder: []) {
            value, context throws(ConfigRefusal) in
            var elements = [value]
            if case .list(let all) = value.kind { elements = all }
            var names: [String] = []
            for element in elements {
                let name = try context.text(of: element)
                guard 1...64 ~= name.utf8.count else { throw .notAllowed }
                names.append(name)
            }
            return names
        } show: {
            .list($0.map { ConfigValue(.string($0)) })
        }
    }
}

/// What a rule over certificates or service accounts gives to whom it matches.
package struct GrantConfiguration: Sendable, Equatable {
    package var roles: [String] = []
    package var user: String?
    package var team: String?
    package var businessLine: String?
    package var tenant: String?

    package init() {}

    static func read(_ section: ConfigSection, _ roles: Set<String>) -> Self {
        var grant = Self()
        func name(_ key: String, _ doc: String) -> String? { section.optionalString(key, bytes: 1...256, doc: doc) }
        grant.roles = AccessConfiguration.roles(
            section, roles, doc: "What it may do. []: as its user has it, or nothing.")
        grant.user = name("user", "The user, as limits and records have him. null: the name that was proved.")
        grant.team = name("team", "The team.")
        grant.businessLine = name("business_line", "The business line.")
        grant.tenant = name("tenant", "Who shares cached answers. null: the team, else the principal alone.")
        return grant
    }
}
