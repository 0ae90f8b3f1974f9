/// How much may be spent in a day or a month of the calendar.
package struct BudgetConfiguration: Sendable, Equatable {
    package enum Unit: String, Sendable, CaseIterable {
        case cost
        case inputTokens = "input_tokens"
        case outputTokens = "output_tokens"
        case totalTokens = "total_tokens"
        case requests
    }

    package enum Period: String, Sendable, CaseIterable { case day, month }

    package var name: String
    package var condition = LimitConditionConfiguration()
    /// What divides it; empty: one for all.
    package var by: [LimitKeyName] = []
    /// Default cost.
    package var unit = Unit.cost
    /// In units; of money in millionths.
    package var limit = 1
    /// Default month.
    package var period = Period.month
    /// Minutes east of Greenwich; -720 to 840. Default 0.
    package var utcOffsetMinutes = 0
    /// Default local.
    package var scope = RateLimitConfiguration.Scope.local

    package init(name: String) { self.name = name }

    static func read(_ section: ConfigSection, _ surroundings: LimitSurroundings) -> Self {
        var budget = Self(name: LimitNumbers.name(section))
        budget.condition = LimitNumbers.condition(section, surroundings)
        budget.by = LimitNumbers.by(section)
        budget.unit = section.choice(
            "unit", default: budget.unit,
            doc: "What is spent: money (`cost`, by the targets' `price`), tokens or requests.")
        budget.limit = LimitNumbers.amount(
            section, "limit", isMoney: budget.unit == .cost, doc: "How much in a period.")
        budget.period = section.choice("period", default: budget.period, doc: "A day or a month of the calendar.")
        budget.utcOffsetMinutes = section.integer(
            "utc_offset_minutes", default: budget.utcOffsetMinutes, in: -720...840,
            doc: "Where its days begin, in minutes east of Greenwich: 480 for Beijing.")
        budget.scope = section.choice(
            "scope", default: budget.scope,
            doc:
                "`local`: of this process, and forgotten when it ends. `fleet`: of all processes that share the Redis of `redis`, where it outlives them."
        )
        return budget
    }
}

/// What limits and budgets have in common.
enum LimitNumbers {
    static func name(_ section: ConfigSection) -> String {
        section.required("name", .identifier, doc: "What errors, the log and `/limits` call it.")
    }

    static func condition(_ section: ConfigSection, _ surroundings: LimitSurroundings) -> LimitConditionConfiguration {
        section.section("when", doc: "What a request has to be like: all of it at once. Nothing: any.") {
            LimitConditionConfiguration.read($0, surroundings)
        }
    }

    static func by(_ section: ConfigSection) -> [LimitKeyName] {
        section.values(
            "by", .choice(of: LimitKeyName.self), count: 0...9,
            doc:
                "What divides it: each combination has its own. Nothing: one for all. A value that a request does not say is empty."
        )
    }

    /// As much as sums of a few stay exact with.
    static let amountMax = 10_000_000_000_000
    private static let moneyMax = 10_000_000.0

    static func amount(_ section: ConfigSection, _ key: String, isMoney: Bool, doc: String) -> Int {
        micros(section, key, isMoney, section.required(key, .amount, doc: doc + Self.units))
    }

    static func optionalAmount(_ section: ConfigSection, _ key: String, isMoney: Bool, doc: String) -> Int? {
        section.optional(key, .amount, doc: doc).map { micros(section, key, isMoney, $0) }
    }

    private static let units = " Of money up to 10 million, with six decimals; of everything else a whole number."

    private static func micros(_ section: ConfigSection, _ key: String, _ isMoney: Bool, _ number: Double) -> Int {
        if isMoney {
            if number > moneyMax {
                section.mistake(key, "at most \(Int(moneyMax)) of money, found \(section.written(key))")
            }
            return Int((min(number, moneyMax) * 1_000_000).rounded())
        }
        if number != number.rounded() { section.mistake(key, "a whole number, found \(section.written(key))") }
        return max(1, Int(number))
    }
}

extension ConfigRule where Value == Double {
    /// More than nothing.
    fileprivate static var amount: ConfigRule {
        ConfigRule(type: "number", allowed: "more than 0, up to \(LimitNumbers.amountMax)", placeholder: 1) {
            value, context throws(ConfigRefusal) in
            guard let number = try context.number(of: value), number >= 0.000_001,
                number <= Double(LimitNumbers.amountMax)
            else { throw .notAllowed }
            return number
        } show: {
            .number($0)
        }
    }
}
