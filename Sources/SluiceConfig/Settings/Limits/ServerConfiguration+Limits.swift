extension ServerConfiguration {
    /// To be read after providers, models and Redis.
    mutating func readLimits(_ section: ConfigSection) {
        let surroundings = LimitSurroundings(providers: providers.map(\.name), hasRedis: redis != nil)
        var names: Set<String> = []
        rateLimits = section.list(
            "rate_limits", count: 0...1000, doc: "How much may be asked for in a time, or at one time."
        ) { section in
            let limit = RateLimitConfiguration.read(section, surroundings)
            surroundings.check(limit.name, limit.condition, limit.scope, taken: &names, section)
            return limit
        }
        names = []
        budgets = section.list("budgets", count: 0...1000, doc: "How much may be spent in a day or a month.") {
            section in
            let budget = BudgetConfiguration.read(section, surroundings)
            surroundings.check(budget.name, budget.condition, budget.scope, taken: &names, section)
            return budget
        }
        if section.isDescribing { return }
        let countsMoney = rateLimits.contains { $0.unit == .cost } || budgets.contains { $0.unit == .cost }
        if countsMoney, !models.contains(where: { $0.targets.contains { $0.price != nil } }) {
            notes.append("limits count money, and no target of a model has a price: nothing costs anything")
        }
    }
}

/// What a limit may refer to.
struct LimitSurroundings {
    let providers: [String]
    let hasRedis: Bool

    func check(
        _ name: String, _ condition: LimitConditionConfiguration, _ scope: RateLimitConfiguration.Scope,
        taken names: inout Set<String>, _ section: ConfigSection
    ) {
        if !names.insert(name).inserted {
            section.mistake("name", "a name that no other entry has, found \(ConfigPath.quoted(name)) again")
        }
        if scope == .fleet, !hasRedis { section.mistake("scope", "local: there is no `redis` to share it by") }
    }

    func check(providers names: [String], _ section: ConfigSection) {
        for name in names where !name.utf8.contains(UInt8(ascii: "*")) && !providers.contains(name) {
            section.mistake(
                "providers", ModelConfiguration.unknownProvider(ConfigPath.quoted(name), name, providers))
        }
    }
}
