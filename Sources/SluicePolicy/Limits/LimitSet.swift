internal import SluiceCore

/// The limits that are in force. Immutable; what is in their buckets is not.
package final class LimitSet: Sendable {
    /// Limits that are divided by the same values, and looked at at the same point: one look finds the buckets of all of them.
    struct Group: Sendable {
        let store: LimitStore
        let isPerAttempt: Bool
        let isShared: Bool
        /// Of the rules of the store, in its order: where they stand in the configuration.
        let numbers: [Int]
    }

    package let rules: [LimitRule]
    /// Of each rule.
    package let counters: [LimitCounters]
    let groups: [Group]
    /// What has to be known of a request.
    package let parts: LimitKey
    /// Whether tokens have to be estimated, and what they cost.
    package let countsTokens: Bool
    package let countsCost: Bool
    package let hasPerAttempt: Bool
    package let hasShared: Bool

    init(_ rules: [LimitRule], continuing old: LimitSet?, at now: Instant) {
        self.rules = rules
        counters = rules.map { rule in
            let before = old?.rules.firstIndex { $0.name == rule.name && $0.isBudget == rule.isBudget }
            return before.flatMap { old?.counters[$0] } ?? LimitCounters()
        }
        parts = rules.reduce(into: []) { $0.formUnion($1.by.union($1.match.parts)) }
        countsTokens = rules.contains { $0.unit.isEstimated }
        countsCost = rules.contains { $0.unit == .cost }
        hasPerAttempt = rules.contains(where: \.isPerAttempt)
        hasShared = rules.contains { $0.fleet != nil }
        var members: [[Int]] = []
        for (number, rule) in rules.enumerated() {
            let place = members.firstIndex { Self.belong(rule, rules[$0[0]]) }
            if let place { members[place].append(number) } else { members.append([number]) }
        }
        groups = members.map { numbers in
            let own = numbers.map { rules[$0] }
            let before = old?.groups.first { Self.belong($0.store.rules[0], own[0]) }?.store
            let store = before.map { $0.rules == own ? $0 : $0.carried(to: own, at: now.nanoseconds) }
            return Group(
                store: store ?? LimitStore(by: own[0].by, rules: own), isPerAttempt: own[0].isPerAttempt,
                isShared: own[0].fleet != nil, numbers: numbers)
        }
    }

    private static func belong(_ a: LimitRule, _ b: LimitRule) -> Bool {
        a.by == b.by && a.isPerAttempt == b.isPerAttempt && (a.fleet == nil) == (b.fleet == nil)
    }

    /// Takes what one request needs from all limits that are about it, or nothing.
    ///
    /// - Parameters:
    ///   - isAttempt: the limits that depend on the provider; otherwise the others.
    ///   - hold: keeps what was taken; it has to be settled whatever comes of the request.
    /// - Returns: what refuses the request; everything has been given back then.
    package func reserve(
        _ subject: borrowing LimitSubject, _ amounts: LimitAmounts, isAttempt: Bool = false, at time: LimitTime,
        into hold: LimitHold
    ) -> LimitRefusal? {
        for group in groups where group.isPerAttempt == isAttempt {
            var account: LimitAccount?
            for (index, rule) in group.store.rules.enumerated() where rule.matches(subject) {
                let found = account ?? group.store.account(of: subject, at: time)
                account = found
                if group.isShared, !rule.isBudget {
                    hold.claim(group.numbers[index], found, index, amounts[rule.unit])
                    continue
                }
                let verdict = hold.take(
                    group.numbers[index], found, index, amounts[rule.unit], rule.meter, at: time)
                if verdict != .taken {
                    counters[group.numbers[index]].refuse()
                    let refusal = LimitRefusal(rule: rule, verdict: verdict, isLocal: false)
                    hold.release(at: time)
                    let wait = longestWait(subject, amounts, isAttempt: isAttempt, at: time, atLeast: refusal.wait)
                    return LimitRefusal(rule: rule, isTooLarge: refusal.isTooLarge, wait: wait, isLocal: false)
                }
            }
        }
        return nil
    }

    /// One refuses; others may for longer: who is told to come back must not be refused again at once.
    private func longestWait(
        _ subject: borrowing LimitSubject, _ amounts: LimitAmounts, isAttempt: Bool, at time: LimitTime,
        atLeast first: Duration?
    ) -> Duration? {
        var longest = first
        for group in groups where group.isPerAttempt == isAttempt && !group.isShared {
            guard let account = group.store.existing(for: subject) else { continue }
            for (index, rule) in group.store.rules.enumerated() where rule.matches(subject) {
                let verdict = rule.meter.preview(amounts[rule.unit], of: account.bucket(index), at: time)
                if case .refused(let wait?) = verdict { longest = max(longest ?? .zero, wait) }
            }
        }
        return longest
    }
}

/// Why a request was refused.
package struct LimitRefusal: Sendable {
    package let rule: LimitRule
    /// The request needs more than the limit ever gives at once.
    package let isTooLarge: Bool
    /// Until it is worth another try, if that is known.
    package let wait: Duration?
    /// This process decided alone: Redis does not answer.
    package let isLocal: Bool

    init(rule: LimitRule, isTooLarge: Bool, wait: Duration?, isLocal: Bool) {
        self.rule = rule
        self.isTooLarge = isTooLarge
        self.wait = wait
        self.isLocal = isLocal
    }

    package init(rule: LimitRule, wait: Duration) {
        self.init(rule: rule, isTooLarge: false, wait: wait, isLocal: false)
    }

    init(rule: LimitRule, verdict: LimitMeter.Verdict, isLocal: Bool) {
        switch verdict {
        case .refused(let wait): self.init(rule: rule, isTooLarge: false, wait: wait, isLocal: isLocal)
        case .taken, .tooLarge: self.init(rule: rule, isTooLarge: true, wait: nil, isLocal: isLocal)
        }
    }
}
