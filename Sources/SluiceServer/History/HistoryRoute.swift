internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluicePipeline
internal import SluicePolicy
internal import SluiceStorage

/// `/api/v1/history`: what was asked and answered, newest first.
final class HistoryRoute: ManagementRoute {
    private let desk: HistoryDesk
    /// Of a page of an export.
    private static let exportPage = 500

    init(_ desk: HistoryDesk) { self.desk = desk }

    var operations: [ManagementOperation] {
        [
            ManagementOperation(
                .get, "/api/v1/history", action: nil, "Lists records, newest first, in pages.",
                parameters: Self.parameters,
                success: .init(
                    doc: "A page; as CSV or lines of JSON all records, streamed.",
                    mediaTypes: ["application/json", "text/csv", "application/x-ndjson"],
                    schema: ##"{"$ref":"#/components/schemas/HistoryPage"}"##),
                errors: [.notFound, .storageUnavailable, .managementTimeout],
                answer: list),
            ManagementOperation(
                .get, "/api/v1/history/{id}", action: nil,
                "One record, with its attempts and what was kept of its bodies.",
                parameters: [.path("id", "The record's id, or the request's.")],
                success: .init(doc: "The record.", schema: ##"{"$ref":"#/components/schemas/Record"}"##),
                errors: [.notFound, .storageUnavailable],
                answer: show),
        ]
    }

    private static let parameters: [ManagementOperation.Parameter] = [
        .query("user", "Whose requests."), .query("principal", "The credential that they came with, as `key:billing`."),
        .query("team", "Of which team."), .query("model", "For which model, as it was asked for."),
        .query("provider", "Answered by whom."),
        .query(
            "status",
            "complete, rejected, provider_error, truncated, client_gone, degraded; failed for all but complete; or an HTTP status."
        ),
        .query("request_id", "The request's id."),
        .query("text", "What stands in an error, an id, a name, the parameters or a stored body."),
        .query("from", "Ended at this time or later: RFC 3339, or milliseconds since 1970."),
        .query("to", "Ended before this time."),
        .query("limit", "Records of a page.", schema: #"{"type":"integer","minimum":1,"maximum":1000,"default":50}"#),
        .query("cursor", "`next_cursor` of the page before."),
    ]

    // MARK: Pages

    private func list(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        let question = try HistoryQuestion(request)
        if !request.accepts("application/json") {
            return try await export(question, asCSV: request.accepts("text/csv"))
        }
        let body = try await desk.read { history throws(DatabaseError) in
            let page = try history.page(question.filter, after: question.cursor, count: question.count)
            return Self.bytes { json in Self.write(page, question.filter, &json) }
        }
        return ManagementReply(200, .whole(ByteBuffer(copying: body.span)))
    }

    private static func write(_ page: HistoryPage, _ filter: HistoryFilter, _ json: inout JSONWriter) {
        json.object { json in
            json.key("records")
            json.array { json in
                for entry in page.entries { write(entry, &json) }
            }
            json.key("next_cursor")
            if let next = page.next { json.string(next.text(for: filter)) } else { json.null() }
            // The page is short because looking took too long; there may be more behind the cursor.
            json.key("partial")
            json.bool(page.isCut)
        }
    }

    private static func write(
        _ entry: HistoryEntry, _ json: inout JSONWriter, more: (inout JSONWriter) -> Void = { _ in }
    ) {
        let attempts = entry.attempts
        RecordJSON.write(
            entry.record, id: entry.id, origin: entry.origin, attempts: attempts.span, parameters: entry.parameters,
            to: &json
        ) { json in
            json.key("has_bodies")
            json.bool(entry.hasBodies)
            more(&json)
        }
    }

    private static func bytes(_ write: (inout JSONWriter) -> Void) -> [UInt8] {
        let buffer = ByteBuffer(capacity: 8192)
        var json = JSONWriter(into: buffer)
        write(&json)
        return Array(copying: buffer.span)
    }

    // MARK: Exports

    private func export(_ question: HistoryQuestion, asCSV: Bool) async throws(ManagementError) -> ManagementReply {
        // What cannot be read at all is told as an error, and not in the middle of a table.
        let first = try await exportPage(question, question.cursor, asCSV)
        var reply = ManagementReply(
            200,
            .streamed { [self] sink in
                if asCSV, !(await sink.send(ByteBuffer("\(RecordCSV.header)"))) { return }
                var piece = first
                while true {
                    if !piece.bytes.isEmpty, !(await sink.send(ByteBuffer(copying: piece.bytes.span))) { return }
                    guard let next = piece.next else { return }
                    do throws(ManagementError) {
                        piece = try await exportPage(question, next, asCSV)
                    } catch {
                        return sink.fail()
                    }
                }
            })
        reply.contentType = asCSV ? "text/csv; charset=utf-8; header=present" : "application/x-ndjson"
        reply.fields.append(
            ("content-disposition", "attachment; filename=\"\(asCSV ? "history.csv" : "history.jsonl")\""))
        return reply
    }

    private struct Piece: Sendable {
        var bytes: [UInt8]
        var next: HistoryCursor?
    }

    private func exportPage(
        _ question: HistoryQuestion, _ cursor: HistoryCursor?, _ asCSV: Bool
    ) async throws(ManagementError) -> Piece {
        try await desk.read { history throws(DatabaseError) in
            let page = try history.page(question.filter, after: cursor, count: Self.exportPage)
            let buffer = ByteBuffer(capacity: 1 << 16)
            for entry in page.entries {
                if asCSV {
                    RecordCSV.write(entry, to: buffer)
                } else {
                    var json = JSONWriter(into: buffer)
                    Self.write(entry, &json)
                    buffer.append(ASCII.lineFeed)
                }
            }
            return Piece(bytes: Array(copying: buffer.span), next: page.next)
        }
    }

    // MARK: One record

    private func show(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        let principal = try HistoryQuestion.scope(request.principal, .readOwnHistory, .readAllHistory)
        let name = request.segment(3)
        let body = try await desk.read { history throws(DatabaseError) -> [UInt8]? in
            guard let entry = try Self.find(name, principal, history) else { return nil }
            let bodies = entry.hasBodies ? try history.bodies(entry) : nil
            return Self.bytes { json in
                Self.write(entry, &json) { json in Self.write(bodies, &json) }
            }
        }
        guard let body else { throw ManagementError(.notFound, "There is no such record.", param: "id") }
        return ManagementReply(200, .whole(ByteBuffer(copying: body.span)))
    }

    private static func find(
        _ name: String, _ principal: String?, _ history: RecordHistory
    ) throws(DatabaseError) -> HistoryEntry? {
        if let id = RecordID(name), let entry = try history.record(id, for: principal) { return entry }
        var filter = HistoryFilter()
        filter.requestID = name
        filter.principal = principal
        return try history.page(filter, count: 1).entries.first
    }

    private static func write(_ bodies: HistoryBodies?, _ json: inout JSONWriter) {
        for (name, cutName, body, isCut) in [
            ("request_body", "request_body_cut", bodies?.request, bodies?.isRequestCut),
            ("response_data", "response_data_cut", bodies?.response, bodies?.isResponseCut),
        ] as [(StaticString, StaticString, ByteBuffer?, Bool?)] {
            json.key(name)
            if let body { json.string(body.span) } else { json.null() }
            json.key(cutName)
            json.bool(isCut ?? false)
        }
        json.key("bodies_sealed")
        json.bool(bodies?.isSealed ?? false)
    }
}
