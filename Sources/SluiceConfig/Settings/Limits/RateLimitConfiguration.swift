/// How much may be asked for in a time, or at one time.
package struct RateLimitConfiguration: Sendable, Equatable {
    package enum Unit: String, Sendable, CaseIterable {
        case requests
        case inputTokens = "input_tokens"
        case outputTokens = "output_tokens"
        case totalTokens = "total_tokens"
        /// Requests under way.
        case concurrency
        /// Money, by the prices of the targets.
        case cost
    }

    package enum Algorithm: String, Sendable, CaseIterable {
        case tokenBucket = "token_bucket"
        /// GCRA.
        case leakyBucket = "leaky_bucket"
    }

    package enum Period: String, Sendable, CaseIterable {
        case second, minute, hour, day

        package var duration: Duration {
            switch self {
            case .second: .seconds(1)
            case .minute: .seconds(60)
            case .hour: .seconds(3600)
            case .day: .seconds(86_400)
            }
        }
    }

    package enum Scope: String, Sendable, CaseIterable {
        /// Of this process.
        case local
        /// Of all processes that share a Redis.
        case fleet
    }

    package var name: String
    package var condition = LimitConditionConfiguration()
    /// What divides it; empty: one for all.
    package var by: [LimitKeyName] = []
    /// Default requests.
    package var unit = Unit.requests
    /// Default token_bucket.
    package var algorithm = Algorithm.tokenBucket
    /// In units; of money in millionths.
    package var limit = 1
    /// 1 ms to 31 days. Default one minute.
    package var period = Duration.seconds(60)
    /// In units; `nil`: the limit for a token bucket, and 1 for a leaky one.
    package var burst: Int?
    /// Default local.
    package var scope = Scope.local
    /// 0 to 50.
    package var leasePercent = 10
    /// 1 to 100.
    package var localSharePercent = 50

    package init(name: String) { self.name = name }

    static func read(_ section: ConfigSection, _ surroundings: LimitSurroundings) -> Self {
        var rule = Self(name: LimitNumbers.name(section))
        rule.condition = LimitNumbers.condition(section, surroundings)
        rule.by = LimitNumbers.by(section)
        rule.unit = section.choice(
            "unit", default: rule.unit,
            doc:
                "What is counted. Tokens and `cost` (money, by the targets' `price`) are reserved on an estimate and settled on real usage."
        )
        rule.algorithm = section.choice(
            "algorithm", default: rule.algorithm,
            doc:
                "`token_bucket` lets pass what fits into what is left of `burst`; `leaky_bucket` (GCRA) spaces requests evenly, however much each takes."
        )
        rule.limit = LimitNumbers.amount(
            section, "limit", isMoney: rule.unit == .cost, doc: "How much in the time of `per`.")
        rule.readPeriod(section)
        rule.burst = LimitNumbers.optionalAmount(
            section, "burst", isMoney: rule.unit == .cost,
            doc: "How much at once. null: the limit for a token bucket, and 1 for a leaky one.")
        rule.readScope(section)
        rule.check(section)
        return rule
    }

    private mutating func readPeriod(_ section: ConfigSection) {
        let per = section.choice("per", default: Period.minute, doc: "The time of the limit.")
        let milliseconds = section.optional(
            "per_ms", .milliseconds(in: 1...2_678_400_000), doc: "Another time, up to 31 days. null: as `per` says.")
        period = milliseconds ?? per.duration
        if milliseconds != nil, section.has("per") { section.mistake("per_ms", "`per` or `per_ms`, found both") }
    }

    private mutating func readScope(_ section: ConfigSection) {
        scope = section.choice(
            "scope", default: scope,
            doc: "`local`: of this process. `fleet`: of all processes that share the Redis of `redis`.")
        leasePercent = section.integer(
            "lease_percent", default: leasePercent, in: 0...50,
            doc:
                "With `fleet`: how much of the burst a process takes from Redis in advance. 0: it asks for each request."
        )
        localSharePercent = section.integer(
            "local_share_percent", default: localSharePercent, in: 1...100,
            doc: "With `fleet`: how much of the limit a process gives alone while Redis does not answer.")
    }

    private func check(_ section: ConfigSection) {
        if unit == .concurrency {
            for key in ["algorithm", "per", "per_ms", "burst"] where section.has(key) {
                section.mistake(key, "nothing: requests that are under way have no rate")
            }
            if scope == .fleet {
                section.mistake("scope", "local: requests under way are counted in each process")
            }
        }
        if scope == .local {
            for key in ["lease_percent", "local_share_percent"] where section.has(key) {
                section.mistake(key, "nothing, as the scope is local")
            }
        }
    }
}
