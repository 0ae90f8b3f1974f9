package import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet

/// What the injector logs.
package struct InjectLog: Sendable {
    private let queue: LogQueue

    package init(_ queue: LogQueue) { self.queue = queue }

    func event(_ level: LogLevel, _ message: StaticString, _ fields: (borrowing LogLine) -> Void = { _ in }) {
        queue.event(level, message, fields)
    }

    func failed(_ message: StaticString, _ reason: String) { queue.failed(message, reason) }

    /// Pods that nothing was done to are many: they are told at level debug.
    func reviewed(_ answer: Injector.Answer) {
        let level: LogLevel = answer.decision.outcome == .skipped && answer.warningCount == 0 ? .debug : .info
        event(level, "pod reviewed") { line in
            line.field("orchestrator.namespace", answer.namespace)
            line.field("orchestrator.resource.name", answer.pod)
            line.field("sluice.inject.decision", answer.decision.outcome.rawValue)
            line.field("event.reason", answer.decision.reason.rawValue)
            if answer.warningCount > 0 { line.field("sluice.inject.warnings", answer.warningCount) }
            if let denial = answer.denial { line.field("error.message", denial) }
        }
    }

    func refused(_ exchange: DownstreamExchange, _ status: Status, _ message: String) {
        event(.warn, "review refused") { line in
            line.field("client.address", exchange.peer.host)
            line.field("http.response.status_code", Int(status.code))
            line.field("error.message", message)
        }
    }
}
