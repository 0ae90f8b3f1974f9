internal import SluiceCore

/// How a bucket's numbers are counted: pure arithmetic on two atomics, no clock and no lock.
///
/// | kind | level | held |
/// | --- | --- | --- |
/// | token bucket of requests | when the bucket is full again, in nanoseconds | |
/// | token bucket of tokens or money | the same | units reserved for requests under way |
/// | leaky bucket (GCRA) | the theoretical arrival time of the next request, in nanoseconds | |
/// | concurrency | | requests under way |
/// | budget | the number of the period, and what was spent in it | units reserved |
///
/// Time stands for amounts: a bucket that gives `limit` in `period` gives one unit in `period / limit`, and "full again at" says
/// with one number how much is missing and how it comes back (ITU-T I.371 annex A, the virtual scheduling form).
package struct LimitMeter: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// Lets pass what fits into what is left of `burst`.
        case tokenBucket
        /// Lets a request pass when no more than `burst - 1` units of those before it have still to drain.
        case leakyBucket
        case concurrency
        case budget(BudgetPeriod, utcOffsetSeconds: Int)
    }

    package enum Verdict: Equatable, Sendable {
        case taken
        /// - wait: until the same would be let in if nobody else came; `nil` where that depends on others.
        case refused(wait: Duration?)
        /// More than the bucket ever holds.
        case tooLarge
    }

    package let kind: Kind
    /// Units; at least 1.
    package let limit: Int
    package let burst: Int
    /// Whether amounts are estimates, which are settled later.
    package let isEstimated: Bool
    private let period: Int64
    /// Nanoseconds of one unit and of `burst` units.
    private let unit: Int64
    private let capacity: Int64

    /// - Parameters:
    ///   - limit: 1 to `LimitAmounts.amountMax`.
    ///   - period: of a rate; 1 ms to 31 days.
    ///   - burst: of a rate; `nil`: the limit for a token bucket, and 1 for a leaky one.
    package init(_ kind: Kind, limit: Int, period: Duration = .seconds(60), burst: Int? = nil, isEstimated: Bool) {
        self.kind = kind
        self.limit = min(max(limit, 1), LimitAmounts.amountMax)
        self.burst = min(max(burst ?? (kind == .leakyBucket ? 1 : self.limit), 1), LimitAmounts.amountMax)
        self.isEstimated = isEstimated
        self.period = max(period.nanoseconds, 1)
        unit = Self.time(of: 1, self.period, self.limit)
        let whole = Self.time(of: self.burst, self.period, self.limit)
        // Each of many small amounts is rounded up: as much as that takes, and less than one more unit would.
        capacity = whole + max(0, min(Int64(self.burst), unit - 2, 1_000_000))
    }

    // MARK: Units and time

    /// How long units take to come back, rounded up; at most 73 years.
    private static func time(of amount: Int, _ period: Int64, _ limit: Int) -> Int64 {
        let (high, low) = UInt64(max(amount, 0)).multipliedFullWidth(by: UInt64(period))
        let divisor = UInt64(limit)
        if high >= divisor { return .max / 4 }
        let (quotient, remainder) = divisor.dividingFullWidth((high, low))
        return min(Int64(clamping: quotient), .max / 4) + (remainder > 0 ? 1 : 0)
    }

    @inline(__always) private func time(of amount: Int) -> Int64 {
        amount == 1 ? unit : Self.time(of: amount, period, limit)
    }

    /// Whole units that have come back within a time.
    private func units(in time: Int64) -> Int {
        let (high, low) = UInt64(max(time, 0)).multipliedFullWidth(by: UInt64(limit))
        let divisor = UInt64(period)
        if high >= divisor { return .max }
        return Int(clamping: divisor.dividingFullWidth((high, low)).quotient)
    }

    // MARK: Taking

    /// Takes an amount, or reserves it where it is an estimate.
    func take(_ amount: Int, from bucket: Bucket, at time: LimitTime) -> Verdict {
        switch kind {
        case .tokenBucket: isEstimated ? reserve(amount, bucket, time.now) : spend(amount, bucket, time.now)
        case .leakyBucket: arrive(amount, bucket, time.now)
        case .concurrency: enter(bucket)
        case .budget: reserve(amount, bucket, budgetAt: time.wallSeconds)
        }
    }

    private func spend(_ amount: Int, _ bucket: Bucket, _ now: Instant) -> Verdict {
        let cost = self.time(of: amount)
        if cost > capacity { return .tooLarge }
        var missing: Int64 = 0
        let isTaken = bucket.changeLevel { level in
            let full = max(level, now.nanoseconds) + cost
            missing = full - now.nanoseconds - capacity
            return missing > 0 ? nil : full
        }
        return isTaken ? .taken : .refused(wait: .nanoseconds(missing))
    }

    /// What is added first cannot be given to two; what was charged is seen, as it is charged before its hold is taken away.
    private func reserve(_ amount: Int, _ bucket: Bucket, _ now: Instant) -> Verdict {
        let held = bucket.hold(Int64(amount))
        let missing = max(0, bucket.level - now.nanoseconds) + self.time(of: Int(held)) - capacity
        if missing <= 0 { return .taken }
        bucket.unhold(Int64(amount))
        return self.time(of: amount) > capacity ? .tooLarge : .refused(wait: .nanoseconds(missing))
    }

    private func arrive(_ amount: Int, _ bucket: Bucket, _ now: Instant) -> Verdict {
        let cost = self.time(of: amount)
        let tolerance = max(0, capacity - unit)
        var missing: Int64 = 0
        let isTaken = bucket.changeLevel { level in
            let arrival = max(level, now.nanoseconds)
            missing = arrival - now.nanoseconds - tolerance
            return missing > 0 ? nil : arrival + cost
        }
        return isTaken ? .taken : .refused(wait: .nanoseconds(missing))
    }

    private func enter(_ bucket: Bucket) -> Verdict {
        if bucket.hold(1) <= Int64(limit) { return .taken }
        bucket.unhold(1)
        return .refused(wait: nil)
    }

    private func reserve(_ amount: Int, _ bucket: Bucket, budgetAt wallSeconds: Int) -> Verdict {
        let held = bucket.hold(Int64(amount))
        let spent = Int64(spent(bucket, wallSeconds))
        // What is spent is spent: a budget that an estimate went over is closed to requests that cost nothing too.
        if spent < Int64(limit), spent + held <= Int64(limit) { return .taken }
        bucket.unhold(Int64(amount))
        return amount > limit && spent < Int64(limit) ? .tooLarge : .refused(wait: periodLeft(at: wallSeconds))
    }

    // MARK: Settling

    /// Puts what was really used in the place of what was taken.
    ///
    /// - Parameters:
    ///   - taken: what `take` was given, at `start`.
    ///   - used: 0 gives everything back.
    func settle(_ taken: Int, used: Int, of bucket: Bucket, takenAt start: Instant, at time: LimitTime) {
        switch kind {
        case .tokenBucket where isEstimated:
            if used > 0 { charge(self.time(of: used), bucket, time.now) }
            bucket.unhold(Int64(taken))
        case .tokenBucket, .leakyBucket:
            let (paid, cost) = (self.time(of: taken), used == 0 ? 0 : self.time(of: used))
            if cost > paid { charge(cost - paid, bucket, time.now) }
            if cost < paid { giveBack(paid - cost, of: paid, bucket, since: start, time.now) }
        case .concurrency: bucket.unhold(1)
        case .budget:
            if used > 0 { add(used, to: bucket, at: time.wallSeconds) }
            bucket.unhold(Int64(taken))
        }
    }

    private func charge(_ cost: Int64, _ bucket: Bucket, _ now: Instant) {
        bucket.changeLevel { min(max($0, now.nanoseconds), .max / 2) + cost }
    }

    /// Of what was paid, a part has drained by itself since: that has been let in again already, and does not come back twice.
    private func giveBack(_ cost: Int64, of paid: Int64, _ bucket: Bucket, since start: Instant, _ now: Instant) {
        let returned = min(cost, paid - max(0, now.nanoseconds - start.nanoseconds))
        if returned > 0 { bucket.changeLevel { $0 - returned } }
    }

    // MARK: Budgets

    private static let spentBits: Int64 = 46
    private static let spentMax: Int64 = 1 << spentBits - 1

    /// What was spent in the period that is now.
    private func spent(_ bucket: Bucket, _ wallSeconds: Int) -> Int {
        let level = bucket.level
        return level >> Self.spentBits == number(at: wallSeconds) ? Int(level & Self.spentMax) : 0
    }

    /// - Returns: what had been spent before, and what has been now.
    @discardableResult
    func add(_ amount: Int, to bucket: Bucket, at wallSeconds: Int) -> (before: Int, after: Int) {
        raise(bucket, at: wallSeconds) { min($0 + Int64(amount), Self.spentMax) }
    }

    /// Notes what others say has been spent, ourselves included; it never falls within a period.
    @discardableResult
    func raise(_ bucket: Bucket, toAtLeast total: Int, at wallSeconds: Int) -> (before: Int, after: Int) {
        raise(bucket, at: wallSeconds) { max($0, min(Int64(total), Self.spentMax)) }
    }

    private func raise(
        _ bucket: Bucket, at wallSeconds: Int, _ change: (Int64) -> Int64
    ) -> (before: Int, after: Int) {
        let number = number(at: wallSeconds)
        var (before, after): (Int64, Int64) = (0, 0)
        bucket.changeLevel { level in
            before = level >> Self.spentBits == number ? level & Self.spentMax : 0
            after = change(before)
            return number << Self.spentBits | after
        }
        return (Int(before), Int(after))
    }

    /// The number of the budget's period; 0 for what is no budget.
    func number(at wallSeconds: Int) -> Int64 {
        guard case .budget(let period, let offset) = kind else { return 0 }
        return Int64(period.number(at: wallSeconds, utcOffsetSeconds: offset)) & 0x1FFFF
    }

    func periodLeft(at wallSeconds: Int) -> Duration? {
        guard case .budget(let period, let offset) = kind else { return nil }
        return .seconds(period.secondsLeft(at: wallSeconds, utcOffsetSeconds: offset))
    }

    // MARK: Looking

    /// How a bucket stands.
    package struct Reading: Equatable, Sendable {
        /// Units that have been taken and have not come back, or not whole.
        package var used: Int
        /// Units that are reserved for requests under way.
        package var held: Int
        /// Units that one more request could have now.
        package var remaining: Int
        /// Until the bucket is full again, or its period ends; `nil` where that depends on others.
        package var reset: Duration?
    }

    func read(_ bucket: Bucket, at time: LimitTime) -> Reading {
        let held = Int(max(0, bucket.held))
        switch kind {
        case .concurrency:
            return Reading(used: held, held: held, remaining: max(0, limit - held), reset: nil)
        case .budget:
            let spent = spent(bucket, time.wallSeconds)
            return Reading(
                used: spent, held: held, remaining: max(0, limit - spent - held),
                reset: periodLeft(at: time.wallSeconds))
        case .tokenBucket, .leakyBucket:
            let missing = max(0, bucket.level - time.now.nanoseconds)
            let all = held == 0 ? missing : missing + self.time(of: held)
            return Reading(
                used: missing == 0 ? 0 : units(in: missing - 1) + 1, held: held,
                remaining: min(burst, units(in: max(0, capacity - all))),
                reset: .nanoseconds(all))
        }
    }

    /// What `take` would say, without taking anything.
    func preview(_ amount: Int, of bucket: Bucket, at time: LimitTime) -> Verdict {
        let missing: Int64
        switch kind {
        case .concurrency: return bucket.held < Int64(limit) ? .taken : .refused(wait: nil)
        case .budget:
            let spent = spent(bucket, time.wallSeconds)
            if spent < limit, spent + Int(bucket.held) + amount <= limit { return .taken }
            return amount > limit && spent < limit ? .tooLarge : .refused(wait: periodLeft(at: time.wallSeconds))
        case .leakyBucket:
            missing = max(0, bucket.level - time.now.nanoseconds) - max(0, capacity - unit)
        case .tokenBucket:
            if self.time(of: amount) > capacity { return .tooLarge }
            let held = Int(clamping: max(0, bucket.held)) + amount
            missing = max(0, bucket.level - time.now.nanoseconds) + self.time(of: held) - capacity
        }
        return missing <= 0 ? .taken : .refused(wait: .nanoseconds(missing))
    }

    /// Whether the bucket is as good as a new one.
    func isFull(_ bucket: Bucket, at time: LimitTime) -> Bool {
        if bucket.held != 0 { return false }
        switch kind {
        case .concurrency: return true
        case .budget: return spent(bucket, time.wallSeconds) == 0
        case .tokenBucket, .leakyBucket: return bucket.level <= time.now.nanoseconds
        }
    }
}
