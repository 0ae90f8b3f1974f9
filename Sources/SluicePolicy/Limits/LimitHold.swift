internal import SluiceCore

/// What one request has taken from the limits that are about it. To be settled exactly once, on every way out.
///
/// Belongs to one exchange, and so to one loop.
package final class LimitHold {
    struct Entry {
        let number: Int
        let account: LimitAccount
        /// Of the bucket in the account.
        let index: Int
        /// What was taken; 0 where nothing was.
        let amount: Int
        let takenAt: Instant
        var source: Source

        var isTaken: Bool {
            switch source {
            case .local, .standIn, .shared: true
            case .undecided, .refused: false
            }
        }
    }

    enum Source { case local, standIn, shared, undecided, refused }

    package let set: LimitSet
    private(set) var entries: [Entry] = []
    private var isSettled = false
    /// Whether this process alone decided where others should have had a say.
    package internal(set) var isLocalNow = false

    package init(_ set: LimitSet) {
        self.set = set
        entries.reserveCapacity(set.rules.count)
    }

    /// A hold that was forgotten would keep others out for ever.
    deinit { assert(isSettled || entries.allSatisfy { $0.amount == 0 }, "limits were not settled") }

    // MARK: Taking

    func take(
        _ number: Int, _ account: LimitAccount, _ index: Int, _ amount: Int, _ meter: LimitMeter, at time: LimitTime
    ) -> LimitMeter.Verdict {
        let verdict = meter.take(amount, from: account.bucket(index), at: time)
        let isTaken = verdict == .taken
        if isTaken, set.rules[number].unit.isEstimated { set.counters[number].reserve(amount) }
        entries.append(
            Entry(
                number: number, account: account, index: index, amount: isTaken ? amount : 0, takenAt: time.now,
                source: isTaken ? .local : .refused))
        return verdict
    }

    /// Notes a limit that is shared with other processes: `decide` says what comes of it.
    func claim(_ number: Int, _ account: LimitAccount, _ index: Int, _ amount: Int) {
        entries.append(
            Entry(
                number: number, account: account, index: index, amount: amount, takenAt: Instant(nanoseconds: 0),
                source: .undecided))
    }

    func decide(_ position: Int, _ source: Source, at now: Instant) {
        let entry = entries[position]
        entries[position] = Entry(
            number: entry.number, account: entry.account, index: entry.index,
            amount: source == .refused ? 0 : entry.amount, takenAt: now, source: source)
        if source != .refused, set.rules[entry.number].unit.isEstimated { set.counters[entry.number].reserve(entry.amount) }
    }

    // MARK: Settling

    /// Puts what was really used in the place of what was reserved.
    ///
    /// - Parameter marked: called with budgets of which more than 80 or 100 percent have been spent now, and had not been before.
    package func settle(
        _ used: LimitAmounts, at time: LimitTime, marked: (LimitRule, _ percent: Int, _ values: [String]) -> Void
    ) {
        if isSettled { return }
        isSettled = true
        for entry in entries {
            let rule = set.rules[entry.number]
            let amount = rule.unit.isEstimated ? used[rule.unit] : entry.amount
            if entry.isTaken {
                set.counters[entry.number].settle(used: amount)
                if rule.unit.isEstimated { set.counters[entry.number].release(entry.amount - amount) }
            }
            if rule.isBudget, entry.source == .local {
                spend(amount, rule, entry, at: time, marked)
            } else {
                finish(entry, rule, used: amount, at: time)
            }
        }
    }

    /// Gives everything back: the request was refused, and has used nothing.
    package func release(at time: LimitTime) {
        if isSettled { return }
        isSettled = true
        for entry in entries {
            let rule = set.rules[entry.number]
            if entry.isTaken, rule.unit.isEstimated { set.counters[entry.number].release(entry.amount) }
            finish(entry, rule, used: 0, at: time)
        }
    }

    private func finish(_ entry: Entry, _ rule: LimitRule, used: Int, at time: LimitTime) {
        switch entry.source {
        case .refused, .undecided: return
        case .shared:
            entry.account.shared[entry.index].settle(entry.amount, used: used, takenAt: entry.takenAt, at: time.now)
        case .local, .standIn:
            let meter = entry.source == .local ? rule.meter : rule.localMeter
            meter.settle(
                entry.amount, used: used, of: entry.account.bucket(entry.index), takenAt: entry.takenAt, at: time)
        }
    }

    private func spend(
        _ amount: Int, _ rule: LimitRule, _ entry: Entry, at time: LimitTime,
        _ marked: (LimitRule, _ percent: Int, _ values: [String]) -> Void
    ) {
        let bucket = entry.account.bucket(entry.index)
        if amount > 0 {
            let (before, after) = rule.meter.add(amount, to: bucket, at: time.wallSeconds)
            BudgetMark.crossed(from: before, to: after, of: rule.meter.limit) { marked(rule, $0, entry.account.values) }
            if rule.fleet != nil {
                entry.account.shared[entry.index].noteSpent(amount, period: rule.meter.number(at: time.wallSeconds))
            }
        }
        bucket.unhold(Int64(entry.amount))
    }

    // MARK: What applications are told

    /// Whether some limit is about the request.
    package var isEmpty: Bool { entries.isEmpty }

    /// How its rate limits stand, one after the other.
    package func forEachStanding(at time: LimitTime, _ body: (LimitUnit, LimitStanding) -> Void) {
        for entry in entries {
            let rule = set.rules[entry.number]
            if rule.isBudget { continue }
            let isAlone =
                switch entry.source {
                case .standIn: true
                case .refused: isLocalNow
                case .local, .shared, .undecided: false
                }
            body(rule.unit, LimitStanding(rule, entry.account, entry.index, isAlone: isAlone, at: time))
        }
    }
}

/// How a limit stands for one request.
package struct LimitStanding: Sendable {
    package let limit: Int
    package let remaining: Int
    /// Until nothing is missing.
    package let reset: Duration

    package var share: Double { Double(remaining) / Double(max(limit, 1)) }

    /// - Parameter isAlone: of a limit that is shared: this process decides without the others.
    init(_ rule: LimitRule, _ account: LimitAccount, _ index: Int, isAlone: Bool = false, at time: LimitTime) {
        limit = rule.meter.limit
        if rule.fleet != nil, !isAlone {
            // Of what nobody has asked about nothing is known to be missing.
            let known = account.shared[index].standing(at: time.now)
            (remaining, reset) = known ?? (rule.meter.burst, .zero)
            return
        }
        let meter = rule.fleet == nil ? rule.meter : rule.localMeter
        let reading = meter.read(account.bucket(index), at: time)
        remaining = reading.remaining
        reset = reading.reset ?? .zero
    }
}

/// How much of a budget has been spent, where that is worth a line in the log.
enum BudgetMark {
    static func crossed(from before: Int, to after: Int, of limit: Int, _ body: (_ percent: Int) -> Void) {
        for percent in [80, 100] {
            // Rounded up: a mark is reached when it is, not before.
            let mark = Int((Int128(limit) * Int128(percent) + 99) / 100)
            if before < mark, after >= mark { body(percent) }
        }
    }
}
