/// What was used, summed by day and by whom: gathered while a batch is written, and written with it, so that each
/// record counts once.
struct UsageLedger {
    struct Key: Hashable {
        /// Days since 1970, UTC.
        let day: Int
        let principal: Int
        let user: Int
        let team: Int
        let model: Int
        let provider: Int
    }

    private struct Sums {
        var requests = 0
        var errors = 0
        var cacheHits = 0
        var inputTokens = 0
        var outputTokens = 0
        var cachedTokens = 0
        var reasoningTokens = 0
        var costMicros = 0
        var unpriced = 0
        var durationMicros = 0
    }

    private var sums: [Key: Sums] = [:]

    mutating func add(_ record: InvocationRecord, to key: Key) {
        var sum = sums[key] ?? Sums()
        sum.requests += 1
        if record.outcome != .complete { sum.errors += 1 }
        if record.usageSource == .cache { sum.cacheHits += 1 }
        // Numbers of providers and of other nodes: no sum of them may trap.
        sum.inputTokens = Self.sum(sum.inputTokens, record.inputTokens)
        sum.outputTokens = Self.sum(sum.outputTokens, record.outputTokens)
        sum.cachedTokens = Self.sum(sum.cachedTokens, record.cachedTokens)
        sum.reasoningTokens = Self.sum(sum.reasoningTokens, record.reasoningTokens)
        if record.costMicros >= 0 {
            sum.costMicros = Self.sum(sum.costMicros, record.costMicros)
        } else {
            sum.unpriced += 1
        }
        sum.durationMicros = Self.sum(sum.durationMicros, record.durationMicros)
        sums[key] = sum
    }

    /// No number counts for more than this: sums of as many as a file holds stay within 63 bits.
    private static let numberMax = 1 << 40

    private static func sum(_ total: Int, _ number: Int) -> Int { total + min(max(number, 0), numberMax) }

    mutating func removeAll() { sums.removeAll(keepingCapacity: true) }

    func write(to database: Database) throws(DatabaseError) {
        if sums.isEmpty { return }
        var row = try database.prepare(
            """
            INSERT INTO usage_by_day VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, errors = errors + excluded.errors,
                cache_hits = cache_hits + excluded.cache_hits, input_tokens = input_tokens + excluded.input_tokens,
                output_tokens = output_tokens + excluded.output_tokens,
                cached_tokens = cached_tokens + excluded.cached_tokens,
                reasoning_tokens = reasoning_tokens + excluded.reasoning_tokens,
                cost_micros = cost_micros + excluded.cost_micros, unpriced = unpriced + excluded.unpriced,
                duration_us = duration_us + excluded.duration_us
            """)
        for (key, sum) in sums {
            let numbers = [
                key.day, key.principal, key.user, key.team, key.model, key.provider, sum.requests, sum.errors,
                sum.cacheHits, sum.inputTokens, sum.outputTokens, sum.cachedTokens, sum.reasoningTokens, sum.costMicros,
                sum.unpriced, sum.durationMicros,
            ]
            for (index, number) in numbers.enumerated() { try row.bind(index + 1, number) }
            try row.run()
        }
    }
}
