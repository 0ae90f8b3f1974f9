/// One limit or budget as it was configured. Immutable; an object, so that looking at ten of them copies nothing.
package final class LimitRule: Sendable, Equatable {
    /// What is shared with other processes.
    package struct Fleet: Sendable, Equatable {
        /// How much is taken from Redis at a time, in percent of the burst: 0 asks for every request.
        package var leasePercent: Int
        /// What this process lets pass alone while Redis does not answer, in percent of the limit.
        package var localSharePercent: Int

        package init(leasePercent: Int = 10, localSharePercent: Int = 50) {
            self.leasePercent = leasePercent
            self.localSharePercent = localSharePercent
        }
    }

    package let name: String
    package let match: LimitMatch
    /// What divides it.
    package let by: LimitKey
    package let unit: LimitUnit
    package let meter: LimitMeter
    /// Of a rate, in nanoseconds; 0 for others.
    package let period: Duration
    package let fleet: Fleet?
    /// What stands in while Redis does not answer: a part of the limit.
    let localMeter: LimitMeter
    /// Whether it is about every request.
    private let matchesAll: Bool

    package init(
        name: String, match: LimitMatch = LimitMatch(), by: LimitKey = [], unit: LimitUnit = .requests,
        kind: LimitMeter.Kind = .tokenBucket, limit: Int, period: Duration = .seconds(60), burst: Int? = nil,
        fleet: Fleet? = nil
    ) {
        self.name = name
        self.match = match
        self.by = by
        self.unit = unit
        self.period = period
        self.fleet = fleet
        matchesAll = match.parts.isEmpty
        meter = LimitMeter(kind, limit: limit, period: period, burst: burst, isEstimated: unit.isEstimated)
        let percent = fleet?.localSharePercent ?? 100
        let whole = meter
        func share(_ amount: Int) -> Int { max(1, Int(UInt128(amount) * UInt128(percent) / 100)) }
        localMeter =
            if case .budget = kind {
                whole
            } else {
                LimitMeter(
                    kind, limit: share(limit), period: period, burst: share(whole.burst), isEstimated: unit.isEstimated)
            }
    }

    package static func == (a: LimitRule, b: LimitRule) -> Bool {
        a.name == b.name && a.match == b.match && a.by == b.by && a.unit == b.unit && a.meter == b.meter
            && a.period == b.period && a.fleet == b.fleet
    }

    @inline(__always) func matches(_ subject: borrowing LimitSubject) -> Bool {
        matchesAll || match.matches(subject)
    }

    /// The longest that a budget's period may be, in seconds.
    package var budgetSecondsMax: Int { if case .budget(let period, _) = meter.kind { period.secondsMax } else { 0 } }

    package var isBudget: Bool { if case .budget = meter.kind { true } else { false } }

    /// Whether it is only known who is asked when an attempt is made.
    package var isPerAttempt: Bool { by.union(match.parts).contains(.provider) }

    /// Whether buckets of the two hold the same thing, whatever the numbers.
    func continues(_ other: LimitRule) -> Bool {
        name == other.name && by == other.by && unit == other.unit && meter.kind == other.meter.kind
            && (fleet == nil) == (other.fleet == nil)
    }
}
