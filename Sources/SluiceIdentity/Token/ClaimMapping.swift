internal import SluiceCore
package import SluiceJSON
package import SluicePolicy

/// Who a token's claims say it is of: from claims to what a principal is made of.
package struct ClaimMapping: Sendable {
    /// Whom the token is about. It makes the principal's id.
    package var subject = ClaimPath("sub")
    /// The user in limits, records and routes.
    package var user: ClaimPath? = ClaimPath("sub")
    package var team: ClaimPath?
    package var businessLine: ClaimPath?
    package var tenant: ClaimPath?
    /// A list of names, or names with spaces between.
    package var roles: ClaimPath?
    /// Where scopes are (RFC 9068 §2.2.3); as `roles`.
    package var scope = ClaimPath("scope")
    /// What a value of `roles` stands for here; empty: for the role of that name.
    package var roleMap: [String: [String]] = [:]
    /// What a scope stands for here; one that is not named stands for nothing.
    package var scopeRoles: [String: [String]] = [:]
    /// What everybody has whose claims give no role.
    package var defaultRoles: [String] = []

    private static let textByteCountMax = 256
    /// More roles than these are not read.
    private static let namesMax = 128

    package init() {}

    /// - Parameter prefix: of the id: what tells apart the same subject of two issuers.
    package func principal(
        _ claims: JSONValue, prefix: String, kind: PrincipalKind, under policy: AccessPolicy
    ) throws(TokenRefusal) -> Principal {
        guard let subject = try Self.text(subject, claims) else {
            throw TokenRefusal(.malformed, "it does not say whom it is about")
        }
        let roles = roles(of: claims)
        return policy.principal(
            id: prefix + subject, kind: kind, user: try Self.text(user, claims), team: try Self.text(team, claims),
            businessLine: try Self.text(businessLine, claims), roles: roles.isEmpty ? nil : roles,
            tenant: try Self.text(tenant, claims))
    }

    func roles(of claims: JSONValue) -> [String] {
        var found: [String] = []
        func add(_ names: [String]) { for name in names where !found.contains(name) { found.append(name) } }
        if let value = roles?.value(in: claims) {
            for name in Self.names(value) { add(roleMap.isEmpty ? [name] : roleMap[name] ?? []) }
        }
        if !scopeRoles.isEmpty {
            if let value = scope.value(in: claims) { for name in Self.names(value) { add(scopeRoles[name] ?? []) } }
        }
        return found.isEmpty ? defaultRoles : found
    }

    /// A list of strings, or one string of names with spaces between (RFC 6749 §3.3).
    static func names(_ value: JSONValue) -> [String] {
        if let text = value.string { return text.split(separator: " ").prefix(namesMax).map(String.init) }
        var names: [String] = []
        var elements = value.elements
        while names.count < namesMax, let element = elements.next() {
            if let name = element.string { names.append(name) }
        }
        return names
    }

    /// One that is too long or cannot be printed is refused, not cut: two that differ must not become the same.
    static func text(_ path: ClaimPath?, _ claims: JSONValue) throws(TokenRefusal) -> String? {
        guard let path, let value = path.value(in: claims), !value.isNull else { return nil }
        guard let text = value.string ?? value.int.map(String.init), 1...textByteCountMax ~= text.utf8.count,
            !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F })
        else {
            throw TokenRefusal(.malformed, "a claim that names somebody is no line of 1 to \(textByteCountMax) bytes")
        }
        return text
    }
}
