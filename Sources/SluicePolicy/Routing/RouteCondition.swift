/// What a rule may want to know of a request. Nothing is read that no rule asks for.
package protocol RouteFacts {
    /// As it is asked for, aliases resolved.
    var model: String { get }
    var caller: Caller { get }
    var scene: String? { get }
    var isStream: Bool { get }
    var bodyByteCount: Int { get }
    /// The value of the first such field.
    func header(_ lowercaseName: String) -> String?
    /// Whether a field is there and one of its lines, or of the elements of these, matches; no patterns: whether it is there.
    func hasHeader(_ lowercaseName: String, matching patterns: [NamePattern]) -> Bool
}

/// What a request has to be like for a rule to hold. Of each list one entry is enough; an empty one asks for nothing.
package struct RouteCondition: Sendable, Equatable {
    package struct Header: Sendable, Equatable {
        /// In lower case.
        package let name: String
        package let values: [NamePattern]

        package init(name: String, values: [NamePattern]) {
            self.name = name
            self.values = values
        }
    }

    package var models: [NamePattern] = []
    package var users: [NamePattern] = []
    package var roles: [NamePattern] = []
    package var teams: [NamePattern] = []
    package var businessLines: [NamePattern] = []
    package var scenes: [NamePattern] = []
    package var headers: [Header] = []
    package var bodyBytes: ClosedRange<Int>?
    package var isStream: Bool?

    package init() {}

    /// Whether it depends on who asks.
    package var asksWhoCalls: Bool {
        !users.isEmpty || !roles.isEmpty || !teams.isEmpty || !businessLines.isEmpty
    }

    package func matches(_ facts: some RouteFacts) -> Bool {
        if let isStream, facts.isStream != isStream { return false }
        if let bodyBytes, !bodyBytes.contains(facts.bodyByteCount) { return false }
        if !Self.matches(facts.model, models) || !Self.matches(facts.scene, scenes) { return false }
        if asksWhoCalls {
            let caller = facts.caller
            if !Self.matches(caller.user, users) || !Self.matches(caller.role, roles)
                || !Self.matches(caller.team, teams) || !Self.matches(caller.businessLine, businessLines)
            {
                return false
            }
        }
        return headers.allSatisfy { facts.hasHeader($0.name, matching: $0.values) }
    }

    private static func matches(_ name: String?, _ patterns: [NamePattern]) -> Bool {
        if patterns.isEmpty { return true }
        guard let name else { return false }
        return patterns.contains { $0.matches(name) }
    }
}
