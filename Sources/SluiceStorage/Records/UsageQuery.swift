/// What was used, summed up.
package struct UsageQuery: Sendable, Equatable {
    package enum Group: String, Sendable, CaseIterable { case day, user, team, model, provider, principal }

    package var groups: [Group] = [.day]
    package var user: String?
    package var principal: String?
    package var team: String?
    package var model: String?
    package var provider: String?
    /// Days since 1970, UTC; both count.
    package var fromDay: Int?
    package var toDay: Int?

    package static let rowsMax = 10_000

    package init() {}
}

package struct UsageRow: Sendable, Equatable {
    /// In the order of the question's groups; a day as its number.
    package var names: [String] = []
    package var requests = 0
    package var errors = 0
    package var cacheHits = 0
    package var inputTokens = 0
    package var outputTokens = 0
    package var cachedTokens = 0
    package var reasoningTokens = 0
    package var costMicros = 0
    /// Requests whose cost is not known, and not in `costMicros`.
    package var unpriced = 0
    package var durationMicros = 0

    package init() {}
}

extension RecordHistory {
    /// The sums, the newest day first, then the dearest. At most `UsageQuery.rowsMax`.
    package func usage(_ query: UsageQuery) throws(DatabaseError) -> [UsageRow] {
        let columns = query.groups.map(\.rawValue)
        var conditions = ["day >= ?1 AND day <= ?2"]
        var values: [Int] = []
        for (column, name) in [
            ("user", query.user), ("principal", query.principal), ("team", query.team), ("model", query.model),
            ("provider", query.provider),
        ] {
            guard let name else { continue }
            guard let id = try NameTable(connection).find(name) else { return [] }
            values.append(id)
            conditions.append("\(column) = ?\(values.count + 2)")
        }
        // Names of columns are this file's own; what the caller said is bound.
        let list = columns.joined(separator: ", ")
        let order = query.groups.contains(.day) ? "day DESC, cost DESC" : "cost DESC"
        let text = """
            SELECT \(list), sum(requests), sum(errors), sum(cache_hits), sum(input_tokens), sum(output_tokens),
                sum(cached_tokens), sum(reasoning_tokens), sum(cost_micros) AS cost, sum(unpriced), sum(duration_us)
            FROM usage_by_day WHERE \(conditions.joined(separator: " AND ")) GROUP BY \(list) ORDER BY \(order), \(list)
            LIMIT \(UsageQuery.rowsMax)
            """
        return try connection.within(.seconds(5)) { () throws(DatabaseError) in
            var row = try connection.prepare(text)
            try row.bind(1, query.fromDay ?? 0)
            try row.bind(2, query.toDay ?? Int.max)
            for (index, value) in values.enumerated() { try row.bind(index + 3, value) }
            var rows: [UsageRow] = []
            while try row.step() { rows.append(try read(row, query.groups)) }
            return rows
        }
    }

    private func read(_ row: borrowing Statement, _ groups: [UsageQuery.Group]) throws(DatabaseError) -> UsageRow {
        var usage = UsageRow()
        for (column, group) in groups.enumerated() {
            usage.names.append(group == .day ? "\(row.integer(column))" : try names.name(row.integer(column)))
        }
        let first = groups.count
        usage.requests = row.integer(first)
        usage.errors = row.integer(first + 1)
        usage.cacheHits = row.integer(first + 2)
        usage.inputTokens = row.integer(first + 3)
        usage.outputTokens = row.integer(first + 4)
        usage.cachedTokens = row.integer(first + 5)
        usage.reasoningTokens = row.integer(first + 6)
        usage.costMicros = row.integer(first + 7)
        usage.unpriced = row.integer(first + 8)
        usage.durationMicros = row.integer(first + 9)
        return usage
    }
}
