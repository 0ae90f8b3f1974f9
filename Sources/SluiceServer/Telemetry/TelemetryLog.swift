internal import SluiceConfig
internal import SluiceCore
internal import SluiceNet

/// Counts what came of messages, and tells of a receiver's troubles when they begin and when they are over, not in between.
struct TelemetryLog {
    private let events: EventLog
    private let receiver: TelemetryReceiver

    init(_ events: EventLog, _ receiver: TelemetryReceiver) {
        self.events = events
        self.receiver = receiver
    }

    func note(
        _ verdict: TelemetrySender.Verdict, _ message: TelemetryMessage, waitingBytes: Int, _ status: TelemetryStatus,
        at now: Instant
    ) {
        let wall = Double(EventLoop.readWallClock()) / 1e9
        let before = status.change { counts in
            let before = counts
            counts.waitingBytes = waitingBytes
            switch verdict {
            case .accepted(let refusedItems):
                counts.accepted += 1
                counts.itemsSent += max(message.itemCount - refusedItems, 0)
                counts.droppedRefused += min(refusedItems, message.itemCount)
                counts.bytesSent += message.body.count
                counts.lastSuccess = wall
                counts.troubledSince = nil
            case .refused(let reason):
                counts.refused += 1
                counts.droppedRefused += message.itemCount
                counts.lastError = reason
                counts.troubledSince = counts.troubledSince ?? now
            case .failed(let reason, _):
                counts.failed += 1
                counts.lastError = reason
                counts.troubledSince = counts.troubledSince ?? now
            }
            return before
        }
        tell(verdict, before, status, at: now)
    }

    private func tell(
        _ verdict: TelemetrySender.Verdict, _ before: TelemetryStatus.Counts, _ status: TelemetryStatus, at now: Instant
    ) {
        switch verdict {
        case .accepted:
            guard let since = before.troubledSince else { return }
            let dropped = status.current.dropped
            events.event(.info, "telemetry receiver available again") { line in
                fields(line)
                line.field("sluice.receiver.unavailable_ms", milliseconds: now - since)
                line.field("sluice.receiver.dropped", dropped)
            }
        case .refused(let reason) where before.troubledSince == nil:
            events.event(.warn, "telemetry receiver refuses what it is sent") { line in
                fields(line)
                line.field("error.message", reason)
            }
        case .failed(let reason, _) where before.troubledSince == nil:
            events.event(.warn, "telemetry receiver unavailable: what is for it waits") { line in
                fields(line)
                line.field("error.message", reason)
            }
        case .refused, .failed: break
        }
    }

    /// A message is larger than all that may wait: it was dropped.
    func noteTooLarge(_ byteCount: Int, _ status: TelemetryStatus) {
        let limit = receiver.configuration.queueByteCountMax
        let reason = "a message of \(byteCount) bytes does not fit into queue_bytes_max, which is \(limit)"
        status.change { $0.lastError = reason }
        events.event(.warn, "telemetry dropped: a message is larger than what may wait") { line in
            fields(line)
            line.field("error.message", reason)
        }
    }

    private func fields(_ line: borrowing LogLine) {
        line.field("sluice.receiver.name", receiver.name)
        line.field("server.address", receiver.configuration.url.host)
        line.field("server.port", receiver.configuration.url.port)
    }
}
