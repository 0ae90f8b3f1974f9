internal import SluiceCore

/// Which requests a limit or a budget is about. Of each list one entry is enough; what is not given does not matter.
package struct LimitConditionConfiguration: Sendable, Equatable {
    package var users: [String] = []
    package var keys: [String] = []
    package var roles: [String] = []
    package var teams: [String] = []
    package var businessLines: [String] = []
    package var models: [String] = []
    package var routes: [String] = []
    package var providers: [String] = []
    /// Addresses, or networks as `10.0.0.0/8`.
    package var addresses: [String] = []

    package init() {}

    static func read(_ section: ConfigSection, _ surroundings: LimitSurroundings) -> Self {
        func patterns(_ key: String, _ what: String) -> [String] {
            section.values(key, .pattern, doc: "\(what). Names, or patterns with one `*`.")
        }
        var condition = Self()
        condition.users = patterns("users", "Users")
        condition.keys = section.values(
            "keys", .fingerprint,
            doc: "The applications' credentials: the first 16 hex digits of the SHA-256 of the field's value.")
        condition.roles = patterns("roles", "Roles")
        condition.teams = patterns("teams", "Teams")
        condition.businessLines = patterns("business_lines", "Business lines")
        condition.models = patterns("models", "Models as they are asked for, aliases resolved")
        condition.routes = patterns("routes", "Paths of the API, such as `/v1/chat/completions`")
        condition.providers = patterns("providers", "Providers. The limit is then looked at before each attempt")
        surroundings.check(providers: condition.providers, section)
        condition.addresses = section.values(
            "addresses", .network, doc: "Where applications connect from: addresses, or networks as `10.0.0.0/8`.")
        return condition
    }
}

/// What divides a limit.
package enum LimitKeyName: String, Sendable, CaseIterable {
    case user, key, role, team
    case businessLine = "business_line"
    case address, model, route, provider
}

extension ConfigRule where Value == String {
    static var fingerprint: ConfigRule {
        text("fingerprint", allowed: "16 hex digits in lower case", placeholder: "") {
            $0
        } _: { text in
            text.utf8.count == 16 && text.utf8.allSatisfy { $0.isDecimalDigit || 0x61...0x66 ~= $0 } ? text : nil
        }
    }

    static var network: ConfigRule {
        text("network", allowed: "an IP address or a network as 10.0.0.0/8", placeholder: "") {
            $0
        } _: { text in
            IPNetwork(text) == nil ? nil : text
        }
    }
}
