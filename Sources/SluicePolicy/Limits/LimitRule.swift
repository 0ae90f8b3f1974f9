/// One limit or budget as it was configured.
package struct LimitRule: Sendable, Equatable {
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
        meter = LimitMeter(kind, limit: limit, period: period, burst: burst, isEstimated: unit.isEstimated)
        func share(_ amount: Int) -> Int {
            guard let fleet else { return amount }
            return max(1, Int((UInt128(amount) * UInt128(fleet.localSharePercent) / 100)))
        }
        localMeter =
            if case .budget = kind {
                meter
            } else {
                LimitMeter(
                    kind, limit: share(limit), period: period, burst: share(meter.burst),
                    isEstimated: unit.isEstimated)
            }
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
