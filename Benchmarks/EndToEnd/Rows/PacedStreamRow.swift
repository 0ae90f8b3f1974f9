/// A hundred streams with an event each 10 ms, spread so that every event wakes the proxy by itself.
struct PacedStreamRow: Row {
    private static let streamCount = 100
    private static let eventCount = 50
    private static let gapMilliseconds = 10

    let id = "sse-paced"
    let metrics = [Metric("SSE event, one at a time", "CPU µs", .ratioAtMost(1.0))]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        let request = try session.request(.paced(eventCount: Self.eventCount, milliseconds: Self.gapMilliseconds))
        let length = Self.eventCount * Self.gapMilliseconds * Clock.millisecond
        let load = try ClosedLoop(
            port: session.plainPort, connections: Self.streamCount, request: request, rampUp: length)
        var settings = settings
        settings.warmUp += length  // until all streams are there
        return [try Window.measure(load, session, settings).microsecondsPerEvent]
    }
}
