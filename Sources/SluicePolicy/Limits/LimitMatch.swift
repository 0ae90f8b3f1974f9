package import SluiceCore

/// Which requests a limit is about. An empty list is about all; of several lists all must fit.
package struct LimitMatch: Sendable, Equatable {
    package var users: [NamePattern] = []
    package var keys: [NamePattern] = []
    package var roles: [NamePattern] = []
    package var teams: [NamePattern] = []
    package var businessLines: [NamePattern] = []
    package var models: [NamePattern] = []
    package var routes: [NamePattern] = []
    package var providers: [NamePattern] = []
    package var addresses: [IPNetwork] = []

    package init() {}

    /// What has to be known of a request to tell.
    package var parts: LimitKey {
        var parts: LimitKey = []
        if !users.isEmpty { parts.insert(.user) }
        if !keys.isEmpty { parts.insert(.key) }
        if !roles.isEmpty { parts.insert(.role) }
        if !teams.isEmpty { parts.insert(.team) }
        if !businessLines.isEmpty { parts.insert(.businessLine) }
        if !models.isEmpty { parts.insert(.model) }
        if !routes.isEmpty { parts.insert(.route) }
        if !providers.isEmpty { parts.insert(.provider) }
        if !addresses.isEmpty { parts.insert(.address) }
        return parts
    }

    package func matches(_ subject: borrowing LimitSubject) -> Bool {
        Self.fits(models, subject.model) && Self.fits(routes, subject.route) && Self.fits(users, subject.caller.user)
            && Self.fits(keys, subject.caller.key) && Self.fits(roles, subject.caller.role)
            && Self.fits(teams, subject.caller.team) && Self.fits(businessLines, subject.caller.businessLine)
            && Self.fits(providers, subject.provider) && fits(address: subject.caller.address)
    }

    private static func fits(_ patterns: [NamePattern], _ value: @autoclosure () -> String?) -> Bool {
        if patterns.isEmpty { return true }
        guard let value = value() else { return false }
        for pattern in patterns where pattern.matches(value) { return true }
        return false
    }

    private func fits(address: @autoclosure () -> String) -> Bool {
        if addresses.isEmpty { return true }
        guard let parsed = IPAddress(address()) else { return false }
        return addresses.contains { $0.contains(parsed) }
    }
}
