internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet

/// Log lines about the process itself, from any thread.
struct EventLog: Sendable {
    private let queue: LogQueue

    init(_ queue: LogQueue) { self.queue = queue }

    func event(_ level: LogLevel, _ message: StaticString, _ fields: (borrowing LogLine) -> Void = { _ in }) {
        if level < queue.level { return }
        let buffer = ByteBuffer(capacity: 256)
        let line = LogLine(level, message, unixNanoseconds: EventLoop.readWallClock(), into: buffer)
        fields(line)
        line.end()
        queue.append(buffer.span)
    }

    func failed(_ message: StaticString, _ reason: String) {
        event(.error, message) { $0.field("error.message", reason) }
    }

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
