package import SluiceCore

/// Who may come in, and what for. Without the section whoever can connect may do everything, and only this machine can.
package struct AccessConfiguration: Sendable, Equatable {
    /// What keys are hashed with; `nil`: nothing.
    package var pepper: Secret?
    package var keys: [Named<AccessKeyConfiguration>] = []
    package var users: [Named<AccessUserConfiguration>] = []
    /// Beside those that are built in.
    package var roles: [Named<AccessRoleConfiguration>] = []
    /// Who connects from this machine and shows nothing; `nil`: nobody may.
    package var local: AccessPlaceConfiguration?
    /// Default: the admin port is this machine's operator's.
    package var adminDemandsCredential = false
    /// 1 to 100,000.
    package var failuresPerMinute = 30
    /// Credentials that others issue, and short-lived ones.
    package var tokens = TokensConfiguration()

    package init() {}

    /// Roles that there are without saying so.
    package static let builtInRoles = ["admin", "operator", "auditor", "developer", "app"]

    /// Whether there is any credential that could be shown.
    package var authenticates: Bool { !keys.isEmpty || tokens.admitsSomebody }

    package static func read(_ section: ConfigSection) -> Self {
        var access = Self()
        access.pepper = section.optionalSecret(
            "pepper",
            doc:
                "A secret that API keys are hashed with, so that their hashes alone are of no use: 32 random bytes or more. Another one makes all hashes void."
        )
        access.roles = section.dictionary(
            "roles", names: .identifier, doc: "Roles beside admin, operator, auditor, developer and app, or in place of them."
        ) { Named($0, AccessRoleConfiguration.read($1)) }
        let roles = Set(builtInRoles + access.roles.map(\.name))
        AccessRoleConfiguration.check(access.roles, roles, section)
        access.users = section.dictionary(
            "users", names: .accessName, doc: "What is known of users, whatever they show."
        ) { Named($0, AccessUserConfiguration.read($1, roles)) }
        let users = Set(access.users.map(\.name))
        access.keys = section.dictionary(
            "keys", names: .accessName, count: 0...100_000,
            doc: "API keys, by a name that logs, limits and records know them by: `key:NAME`."
        ) { Named($0, AccessKeyConfiguration.read($1, roles, users)) }
        access.local = section.optionalSection(
            "local",
            doc:
                "Whoever connects to an address of this machine alone and shows no credential that was given out here. null: he has to show one."
        ) { AccessPlaceConfiguration.read($0, roles) }
        access.adminDemandsCredential = section.boolean(
            "admin_credential", default: access.adminDemandsCredential,
            doc: "Demands a credential on the admin port even where only this machine can connect. Elsewhere it always does.")
        access.failuresPerMinute = section.integer(
            "failures_per_minute", default: access.failuresPerMinute, in: 1...100_000,
            doc: "How many wrong credentials may come from one address in a minute; those after that are answered 429.")
        access.tokens = .read(section, roles)
        return access
    }

    /// A list of roles that there are.
    static func roles(
        _ section: ConfigSection, _ known: Set<String>, key: String = "roles", default fallback: [String] = [],
        doc: String
    ) -> [String] {
        let roles = section.strings(key, default: fallback, bytes: 1...64, count: 0...64, doc: doc)
        for role in roles where !known.contains(role) && !role.isEmpty {
            let question = Suggestion.nearest(to: role, among: known.sorted()).map { ", did you mean \"\($0)\"?" } ?? ""
            section.mistake(key, "a role that there is, found \"\(role)\"\(question)")
        }
        return roles
    }
}

/// Whom a place stands for.
package struct AccessPlaceConfiguration: Sendable, Equatable {
    package var roles = ["app"]
    package var user: String?
    package var team: String?
    package var businessLine: String?
    package var mayClaim = true

    package init() {}

    static func read(_ section: ConfigSection, _ roles: Set<String>) -> Self {
        var place = Self()
        place.roles = AccessConfiguration.roles(
            section, roles, default: place.roles, doc: "What he may do: roles, all of which count.")
        place.user = section.optionalString("user", bytes: 1...128, doc: "The user that he counts as.")
        place.team = section.optionalString("team", bytes: 1...128, doc: "The team that he counts to.")
        place.businessLine = section.optionalString(
            "business_line", bytes: 1...128, doc: "The business line that he counts to.")
        place.mayClaim = section.boolean(
            "may_claim", default: place.mayClaim,
            doc: "Believes what requests say of users, teams and roles: `user_info`, `user`, `x-sluice-user` and the like.")
        return place
    }
}

/// What is known of a user.
package struct AccessUserConfiguration: Sendable, Equatable {
    package var roles: [String] = []
    package var team: String?
    package var businessLine: String?

    package init() {}

    static func read(_ section: ConfigSection, _ roles: Set<String>) -> Self {
        var user = Self()
        user.roles = AccessConfiguration.roles(
            section, roles, doc: "What the user may do, where his key or token does not say.")
        user.team = section.optionalString("team", bytes: 1...128, doc: "The user's team.")
        user.businessLine = section.optionalString("business_line", bytes: 1...128, doc: "The user's business line.")
        return user
    }
}

extension ConfigNames {
    /// For users and keys: what identity providers call theirs has at signs, slashes and colons.
    static let accessName = ConfigNames("a name of 1 to 128 letters, digits and any of \". _ - / : @ + |\"") { name in
        1...128 ~= name.utf8.count
            && name.utf8.allSatisfy { $0.isASCIILetter || $0.isDecimalDigit || "._-/:@+|".utf8.contains($0) }
    }
}
