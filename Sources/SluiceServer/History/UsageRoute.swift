internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluicePolicy
internal import SluiceStorage

/// `/api/v1/usage`: requests, tokens and cost, summed by day, user, team, model, provider or credential.
final class UsageRoute: ManagementRoute {
    private let desk: HistoryDesk

    init(_ desk: HistoryDesk) { self.desk = desk }

    var operations: [ManagementOperation] {
        [
            ManagementOperation(
                .get, "/api/v1/usage", action: nil, "Sums of requests, tokens and cost.",
                parameters: [
                    .query(
                        "group_by",
                        "What to sum by, in order: some of day, user, team, model, provider, principal, with commas. Default: day."
                    ),
                    .query("user", "Whose requests."), .query("principal", "The credential that they came with."),
                    .query("team", "Of which team."), .query("model", "For which model."),
                    .query("provider", "Answered by whom."), .query("from", "The first day (UTC), as 2026-01-31."),
                    .query("to", "The last day (UTC)."),
                ],
                success: .init(
                    doc: "The sums.", mediaTypes: ["application/json", "text/csv"],
                    schema: ##"{"$ref":"#/components/schemas/Usage"}"##),
                errors: [.notFound, .storageUnavailable, .managementTimeout],
                answer: sum)
        ]
    }

    var schemas: [(name: StaticString, schema: StaticString)] {
        [
            (
                "Usage",
                ##"{"type":"object","required":["usage","truncated"],"properties":{"usage":{"type":"array","items":{"type":"object","properties":{"day":{"type":"string","format":"date"},"user":{"type":"string"},"team":{"type":"string"},"model":{"type":"string"},"provider":{"type":"string"},"principal":{"type":"string"},"requests":{"type":"integer"},"errors":{"type":"integer"},"cache_hits":{"type":"integer"},"input_tokens":{"type":"integer"},"output_tokens":{"type":"integer"},"cached_tokens":{"type":"integer"},"reasoning_tokens":{"type":"integer"},"cost_micros":{"type":"integer"},"unpriced":{"type":"integer","description":"Requests whose cost is not known."},"duration_us":{"type":"integer"}}}},"truncated":{"type":"boolean"}}}"##
            )
        ]
    }

    private func sum(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        let query = try Self.query(request)
        let rows = try await desk.read { history throws(DatabaseError) in try history.usage(query) }
        if request.accepts("application/json") {
            return ManagementReply { json in Self.write(rows, query, &json) }
        }
        let buffer = ByteBuffer(capacity: 4096)
        Self.writeCSV(rows, query, to: buffer)
        var reply = ManagementReply(200, .whole(buffer))
        reply.contentType = "text/csv; charset=utf-8; header=present"
        return reply
    }

    private static func query(_ request: ManagementRequest) throws(ManagementError) -> UsageQuery {
        var query = UsageQuery()
        query.principal = try HistoryQuestion.scope(request.principal, .readOwnUsage, .readAllUsage)
        if let principal = try HistoryQuestion.text("principal", request) {
            if let own = query.principal, own != principal {
                throw ManagementError(
                    .permissionDenied, "This credential may not do that: it takes usage.read_all.",
                    param: "usage.read_all")
            }
            query.principal = principal
        }
        query.user = try HistoryQuestion.text("user", request)
        query.team = try HistoryQuestion.text("team", request)
        query.model = try HistoryQuestion.text("model", request)
        query.provider = try HistoryQuestion.text("provider", request)
        if let text = request.query("group_by") {
            let names = text.split(separator: ",", omittingEmptySubsequences: false)
            let groups = names.compactMap { UsageQuery.Group(rawValue: String($0)) }
            guard !groups.isEmpty, groups.count == names.count, Set(groups).count == groups.count else {
                let all = UsageQuery.Group.allCases.map(\.rawValue).joined(separator: ", ")
                throw ManagementError(.invalidParameter, "group_by is some of \(all), each once.", param: "group_by")
            }
            query.groups = groups
        }
        query.fromDay = try day("from", request)
        query.toDay = try day("to", request)
        return query
    }

    private static func day(_ name: StaticString, _ request: ManagementRequest) throws(ManagementError) -> Int? {
        try HistoryQuestion.time(name, request).map { $0 / 86_400_000 }
    }

    // MARK: Writing

    private static func numbers(_ row: UsageRow) -> [(StaticString, Int)] {
        [
            ("requests", row.requests), ("errors", row.errors), ("cache_hits", row.cacheHits),
            ("input_tokens", row.inputTokens), ("output_tokens", row.outputTokens), ("cached_tokens", row.cachedTokens),
            ("reasoning_tokens", row.reasoningTokens), ("cost_micros", row.costMicros), ("unpriced", row.unpriced),
            ("duration_us", row.durationMicros),
        ]
    }

    private static func name(_ name: String, _ group: UsageQuery.Group) -> String {
        group == .day ? RecordTime.text(ofDay: Int(name) ?? 0) : name
    }

    private static func write(_ rows: [UsageRow], _ query: UsageQuery, _ json: inout JSONWriter) {
        json.object { json in
            json.key("usage")
            json.array { json in
                for row in rows {
                    json.object { json in
                        for (group, value) in zip(query.groups, row.names) {
                            json.key(group.rawValue.utf8Span.span)
                            json.string(name(value, group))
                        }
                        for (key, number) in numbers(row) {
                            json.key(key)
                            json.int(number)
                        }
                    }
                }
            }
            json.key("truncated")
            json.bool(rows.count == UsageQuery.rowsMax)
        }
    }

    private static func writeCSV(_ rows: [UsageRow], _ query: UsageQuery, to buffer: ByteBuffer) {
        var header = RecordCSV.Row(buffer: buffer)
        for group in query.groups { header.text(group.rawValue) }
        for (key, _) in numbers(UsageRow()) { header.text("\(key)") }
        buffer.append("\r\n" as StaticString)
        for row in rows {
            var line = RecordCSV.Row(buffer: buffer)
            for (group, value) in zip(query.groups, row.names) { line.text(name(value, group)) }
            for (_, number) in numbers(row) { line.number(number) }
            buffer.append("\r\n" as StaticString)
        }
    }
}
