internal import SluiceConfig
internal import SluicePolicy

/// Nobody gives out, changes or takes over what may do more than himself, unless he may say what roles are.
enum ControlGrant {
    /// To be called with every change of a key or a user, whichever way it is asked for.
    ///
    /// - Parameter old: what the unit says until now.
    static func check(
        _ unit: ConfigUnit, old: ConfigValue?, new: ConfigValue?, _ author: ControlAuthor, _ policy: AccessPolicy?
    ) throws(ManagementError) {
        if author.principal.access.allows(.writeRoles) { return }
        guard let policy, unit.isKey || unit.section == "access.users" else { return }
        for value in [old, new] {
            guard let value, let excess = excess(of: value, unit, author.principal, policy) else { continue }
            throw ManagementError(
                .permissionDenied, "\(unit.path) may do what this credential may not: \(excess).", param: "roles")
        }
    }

    private static func excess(
        of value: ConfigValue, _ unit: ConfigUnit, _ author: Principal, _ policy: AccessPolicy
    ) -> String? {
        let record = ControlKeys.rights(value)
        // A user's roles are for whatever shows that it is his.
        let names = unit.isKey ? record.roles ?? record.user.flatMap { policy.user(named: $0)?.roles } : record.roles
        let access = policy.access(roles: names ?? [], modelBound: record.models)
        if record.mayClaim ?? access.mayClaim, !author.mayClaim { return "speak for others" }
        return author.access.excess(of: access)
    }
}
