/// One of the streams that a connection of the load keeps busy, and the reply it is receiving.
final class HTTP2Stream {
    /// How much of the request's body has been sent.
    var sentByteCount = 0
    var status = 0
    var bodyByteCount = 0
    var events = EventCounter()
    var errorCode: UInt32 = 0
    private var startedAt = 0

    func restart() {
        sentByteCount = 0
        status = 0
        bodyByteCount = 0
        events = EventCounter()
        errorCode = 0
        startedAt = Clock.now()
    }

    /// Adds the ended exchange to the totals.
    func count(into totals: inout Totals, _ request: ChatRequest) {
        totals.events += events.count
        if errorCode != 0 { return totals.fail("a stream was reset with code \(errorCode)") }
        if status != 200 { return totals.fail("status \(status)") }
        if let wanted = request.replyByteCount, wanted != bodyByteCount {
            return totals.fail("a reply of \(bodyByteCount) bytes, not \(wanted)")
        }
        if let wanted = request.replyEventCount, wanted != events.count {
            return totals.fail("a stream of \(events.count) events, not \(wanted)")
        }
        totals.completed += 1
        totals.latency.record(Clock.now() - startedAt)
    }
}
