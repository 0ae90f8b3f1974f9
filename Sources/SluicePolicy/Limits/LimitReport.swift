internal import SluiceCore

/// What operators are told of limits.
package struct LimitExplanation: Sendable {
    package let rule: LimitRule
    /// What the request is counted as, in the order of the rule's `by`.
    package let values: [String]
    package let reading: LimitMeter.Reading
    package let verdict: LimitMeter.Verdict
}

extension LimitSet {
    /// How every limit that is about such a request stands, without taking anything.
    package func explain(
        _ subject: LimitSubject, _ amounts: LimitAmounts, at time: LimitTime
    ) -> [LimitExplanation] {
        var found: [(number: Int, explanation: LimitExplanation)] = []
        for group in groups {
            // Whoever asks without a provider wants to hear of limits of all of them; which bucket it would be is not known.
            let account = group.store.existing(for: subject)
            for (index, rule) in group.store.rules.enumerated() where rule.matches(subject) {
                let values = LimitKey.all.filter { rule.by.contains($0.part) }.map { subject.value(of: $0.part) }
                let account = account ?? LimitAccount(hash: 0, values: values, rules: group.store.rules, at: 0)
                let meter = group.isShared ? rule.localMeter : rule.meter
                var reading = meter.read(account.bucket(index), at: time)
                var verdict = meter.preview(amounts[rule.unit], of: account.bucket(index), at: time)
                if group.isShared, !rule.isBudget {
                    let standing = LimitStanding(rule, account, index, at: time)
                    reading.remaining = standing.remaining
                    reading.used = max(0, rule.meter.burst - standing.remaining)
                    reading.reset = standing.reset
                    verdict = Self.verdict(amounts[rule.unit], standing, rule)
                }
                found.append(
                    (
                        group.numbers[index],
                        LimitExplanation(rule: rule, values: values, reading: reading, verdict: verdict)
                    ))
            }
        }
        return found.sorted { $0.number < $1.number }.map(\.explanation)
    }

    /// What Redis would say, by what is known here.
    private static func verdict(_ amount: Int, _ standing: LimitStanding, _ rule: LimitRule) -> LimitMeter.Verdict {
        if amount <= standing.remaining { return .taken }
        if amount > rule.meter.burst { return .tooLarge }
        // What need not be there for it to pass need not be waited for.
        let spare = Int128(rule.meter.burst - amount) * Int128(rule.period.nanoseconds) / Int128(rule.meter.limit)
        return .refused(wait: max(.zero, standing.reset - .nanoseconds(Int64(clamping: spare))))
    }

    /// How many buckets a rule has, and the ones of which the most has been taken.
    package func busiest(_ number: Int, count: Int, at time: LimitTime) -> (total: Int, buckets: [LimitExplanation]) {
        guard let group = groups.first(where: { $0.numbers.contains(number) }),
            let index = group.numbers.firstIndex(of: number)
        else { return (0, []) }
        let rule = rules[number]
        var buckets: [LimitExplanation] = []
        var total = 0
        for account in group.store.accounts {
            total += 1
            let reading = rule.meter.read(account.bucket(index), at: time)
            if reading.used == 0, reading.held == 0 { continue }
            buckets.append(LimitExplanation(rule: rule, values: account.values, reading: reading, verdict: .taken))
            if buckets.count >= 4 * count + 64 { Self.keep(count, &buckets) }
        }
        Self.keep(count, &buckets)
        return (total, buckets)
    }

    /// What the fullest bucket of a rule has used. Cheap: there may be a hundred thousand, and scrapes come often.
    package func mostUsed(_ number: Int, at time: LimitTime) -> Int {
        guard let group = groups.first(where: { $0.numbers.contains(number) }),
            let index = group.numbers.firstIndex(of: number)
        else { return 0 }
        let meter = rules[number].meter
        return group.store.accounts.reduce(0) { max($0, meter.read($1.bucket(index), at: time).used) }
    }

    private static func keep(_ count: Int, _ buckets: inout [LimitExplanation]) {
        buckets.sort { $0.reading.used + $0.reading.held > $1.reading.used + $1.reading.held }
        if buckets.count > count { buckets.removeLast(buckets.count - count) }
    }
}
