internal import SluiceCore
internal import SluiceNet
internal import SluiceStorage
internal import Synchronization

/// Tells the ordinary log now and then where the audit log ends: whoever collects the one can tell whether the other was shortened.
final class AuditHeadLog: Sendable {
    private let events: EventLog
    private let lastSaid = Mutex<Instant?>(nil)
    private static let every = Duration.seconds(60)

    init(_ events: EventLog) { self.events = events }

    func reached(_ head: AuditHead) {
        let now = EventLoop.readClock()
        let isDue = lastSaid.withLock { last in
            if let last, now - last < Self.every { return false }
            last = now
            return true
        }
        if isDue { events.event(.info, "audit log") { $0.field("sluice.audit.head", "\(head)") } }
    }
}
