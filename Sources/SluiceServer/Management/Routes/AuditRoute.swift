internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluicePipeline
internal import SluicePolicy
internal import SluiceStorage

/// `/api/v1/audit`: what the audit log says, the latest first.
final class AuditRoute: ManagementRoute {
    private let audit: AuditLog
    private let clerk = Clerk("audit-reader")

    init(_ audit: AuditLog) { self.audit = audit }

    var schemas: [(name: StaticString, schema: StaticString)] {
        [
            (
                "AuditEvent",
                #"{"type":"object","required":["seq","prev","time","event","actor"],"properties":{"seq":{"type":"integer","minimum":1},"prev":{"type":"string"},"time":{"type":"string","format":"date-time"},"event":{"type":"string"},"actor":{"type":"string"},"address":{"type":"string"},"subject":{"type":"string"},"detail":{"type":"object","additionalProperties":{"type":"string"}},"mac":{"type":"string"}}}"#
            ),
            (
                "AuditPage",
                ##"{"type":"object","required":["data","next","head"],"properties":{"data":{"type":"array","items":{"$ref":"#/components/schemas/AuditEvent"}},"next":{"type":["integer","null"]},"head":{"type":["string","null"],"description":"Where the log ends: NUMBER:HASH."}}}"##
            ),
        ]
    }

    var operations: [ManagementOperation] {
        [
            ManagementOperation(
                .get, "/api/v1/audit", action: .readAudit, "Who changed what, and who was refused, the latest first",
                parameters: [
                    .query("limit", "At most so many.", schema: #"{"type":"integer","minimum":1,"maximum":1000}"#),
                    .query(
                        "before", "Only lines before this number: `next` of the page before.",
                        schema: #"{"type":"integer","minimum":1}"#),
                    .query("event", "Only this kind, as `access.refused`."),
                    .query("actor", "Only what this principal did."),
                ],
                success: .init(doc: "Events.", schema: ##"{"$ref":"#/components/schemas/AuditPage"}"##),
                errors: [.invalidParameter, .notFound, .managementBusy, .managementTimeout, .storageUnavailable],
                answer: page)
        ]
    }

    private func page(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        guard let directory = audit.directory else {
            throw ManagementError(.notFound, "There is no audit log: set audit.directory, or storage.directory.")
        }
        var query = AuditReader.Query()
        query.limit = try request.integer("limit", default: 100, in: 1...1000)
        query.before = try request.integer("before", default: .max, in: 1...Int.max)
        query.event = request.query("event")
        query.actor = request.query("actor")
        if let event = query.event, AuditEvent.Kind(rawValue: event) == nil {
            throw ManagementError(.invalidParameter, "There is no such event.", param: "event")
        }
        let asked = query
        let result = try await clerk.run { () -> Result<AuditReader.Page, ManagementError> in
            do throws(SystemError) {
                return .success(try AuditReader.read(directory, asked))
            } catch {
                return .failure(ManagementError(.storageUnavailable, "The audit log cannot be read: \(error)"))
            }
        }
        let page = try result.get()
        let head = audit.snapshot.head
        return ManagementReply { json in
            json.object { json in
                json.key("data")
                json.array { json in for line in page.lines { json.raw(line.span) } }
                json.key("next")
                if let next = page.next { json.int(next) } else { json.null() }
                json.key("head")
                if let head { json.string("\(head)") } else { json.null() }
            }
        }
    }
}
