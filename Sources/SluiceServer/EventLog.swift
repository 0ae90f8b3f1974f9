internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet

/// Log lines about the process itself, from any thread.
struct EventLog: Sendable {
    private let queue: LogQueue

    init(_ queue: LogQueue) { self.queue = queue }

    func event(_ level: LogLevel, _ message: StaticString, _ fields: (borrowing LogLine) -> Void = { _ in }) {
        queue.event(level, message, fields)
    }

    func failed(_ message: StaticString, _ reason: String) { queue.failed(message, reason) }

    /// What was set through the management API has changed.
    func changed(_ record: ControlRecord) {
        event(.info, "configuration changed") { line in
            line.field("sluice.control.revision", record.revision)
            line.field("user.name", record.author)
            line.field("sluice.control.node", record.node)
            if !record.reason.isEmpty { line.field("event.reason", record.reason) }
            line.field("sluice.control.changes", record.differences.prefix(20).map(\.path).joined(separator: ", "))
        }
    }

    func protocolError(_ error: ProtocolError) {
        event(.warn, "request refused") { line in
            line.field("client.address", error.peer.host)
            line.field("http.response.status_code", Int(error.status.code))
            line.field("error.message", error.message)
        }
    }
}
