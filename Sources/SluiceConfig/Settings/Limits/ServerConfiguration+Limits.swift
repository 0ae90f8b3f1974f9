extension ServerConfiguration {
    mutating func readLimits(_ section: ConfigSection) {
        rateLimits = section.list(
            "rate_limits", count: 0...1000, doc: "How much may be asked for in a time, or at one time.",
            RateLimitConfiguration.read)
        budgets = section.list(
            "budgets", count: 0...1000, doc: "How much may be spent in a day or a month.", BudgetConfiguration.read)
        if section.isDescribing { return }
        Self.checkNames(rateLimits.map(\.name), "rate_limits", section)
        Self.checkNames(budgets.map(\.name), "budgets", section)
        checkProviders(rateLimits.flatMap(\.condition.providers), "rate_limits", section)
        checkProviders(budgets.flatMap(\.condition.providers), "budgets", section)
        if redis == nil {
            if rateLimits.contains(where: { $0.scope == .fleet }) { section.mistake("rate_limits", Self.needsRedis) }
            if budgets.contains(where: { $0.scope == .fleet }) { section.mistake("budgets", Self.needsRedis) }
        }
        let countsMoney = rateLimits.contains { $0.unit == .cost } || budgets.contains { $0.unit == .cost }
        if countsMoney, !models.contains(where: { $0.targets.contains { $0.price != nil } }) {
            notes.append("limits count money, and no target of a model has a price: nothing costs anything")
        }
    }

    private static let needsRedis = "the scope local only, as there is no `redis`"

    private static func checkNames(_ names: [String], _ key: String, _ section: ConfigSection) {
        var taken: Set<String> = []
        for name in names where !taken.insert(name).inserted {
            section.mistake(key, "names that no other entry has, found \(ConfigPath.quoted(name)) again")
        }
    }

    private func checkProviders(_ names: [String], _ key: String, _ section: ConfigSection) {
        let known = providers.map(\.name)
        for name in names where !name.utf8.contains(UInt8(ascii: "*")) && !known.contains(name) {
            section.mistake(key, ModelConfiguration.unknownProvider(ConfigPath.quoted(name), name, known))
        }
    }
}
