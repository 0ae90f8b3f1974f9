internal import SluiceConfig
internal import SluiceCore
internal import SluicePolicy

/// Turns what a configuration says of limits and budgets into what decides.
enum LimitSettings {
    static func rules(_ configuration: ServerConfiguration) -> [LimitRule] {
        configuration.rateLimits.map(rule) + configuration.budgets.map(rule)
    }

    private static func rule(_ limit: RateLimitConfiguration) -> LimitRule {
        let kind: LimitMeter.Kind =
            switch (limit.unit, limit.algorithm) {
            case (.concurrency, _): .concurrency
            case (_, .tokenBucket): .tokenBucket
            case (_, .leakyBucket): .leakyBucket
            }
        return LimitRule(
            name: limit.name, match: match(limit.condition), by: key(limit.by),
            unit: LimitUnit(rawValue: limit.unit.rawValue) ?? .requests, kind: kind, limit: limit.limit,
            period: limit.period, burst: limit.burst,
            fleet: limit.scope == .local
                ? nil
                : LimitRule.Fleet(leasePercent: limit.leasePercent, localSharePercent: limit.localSharePercent))
    }

    private static func rule(_ budget: BudgetConfiguration) -> LimitRule {
        LimitRule(
            name: budget.name, match: match(budget.condition), by: key(budget.by),
            unit: LimitUnit(rawValue: budget.unit.rawValue) ?? .cost,
            kind: .budget(
                budget.period == .day ? .day : .month, utcOffsetSeconds: budget.utcOffsetMinutes * 60),
            limit: budget.limit, fleet: budget.scope == .local ? nil : LimitRule.Fleet())
    }

    private static func key(_ names: [LimitKeyName]) -> LimitKey {
        LimitKey(names: names.map(\.rawValue)) ?? []
    }

    private static func match(_ condition: LimitConditionConfiguration) -> LimitMatch {
        func patterns(_ texts: [String]) -> [NamePattern] { texts.map { NamePattern($0) } }
        var match = LimitMatch()
        match.users = patterns(condition.users)
        match.keys = patterns(condition.keys)
        match.roles = patterns(condition.roles)
        match.teams = patterns(condition.teams)
        match.businessLines = patterns(condition.businessLines)
        match.models = patterns(condition.models)
        match.routes = patterns(condition.routes)
        match.providers = patterns(condition.providers)
        match.addresses = condition.addresses.compactMap { IPNetwork($0) }
        return match
    }
}
