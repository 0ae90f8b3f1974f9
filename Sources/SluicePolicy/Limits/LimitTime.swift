package import SluiceCore

/// When a decision is taken: on the monotonic clock, which rates go by, and on the calendar, which budgets go by.
package struct LimitTime: Sendable {
    package var now: Instant
    /// Seconds since 1970-01-01 00:00 UTC.
    package var wallSeconds: Int

    package init(now: Instant, wallSeconds: Int) {
        self.now = now
        self.wallSeconds = wallSeconds
    }
}

/// What a budget is for: a day or a month of the calendar.
package enum BudgetPeriod: String, Sendable, CaseIterable {
    case day, month

    /// The number of the period that a time is in. Counts up from 1970; fits in 17 bits until the year 2328.
    func number(at wallSeconds: Int, utcOffsetSeconds: Int) -> Int {
        let seconds = wallSeconds + utcOffsetSeconds
        switch self {
        case .day: return max(seconds, 0) / 86_400
        case .month:
            let date = CivilDate(secondsSince1970: seconds)
            return max(0, date.year - 1970) * 12 + date.month - 1
        }
    }

    /// How long the period still lasts, in seconds; at least one.
    func secondsLeft(at wallSeconds: Int, utcOffsetSeconds: Int) -> Int {
        let seconds = max(0, wallSeconds + utcOffsetSeconds)
        switch self {
        case .day: return 86_400 - seconds % 86_400
        case .month:
            let date = CivilDate(secondsSince1970: seconds)
            let (year, month) = date.month == 12 ? (date.year + 1, 1) : (date.year, date.month + 1)
            guard let end = CivilDate(year: year, month: month, day: 1, hour: 0, minute: 0, second: 0) else { return 1 }
            return max(1, end.secondsSince1970 - seconds)
        }
    }

    /// The longest there is, in seconds.
    package var secondsMax: Int { self == .day ? 86_400 : 31 * 86_400 }
}
