/// Streams whose upstream writes a thousand events at once: the cost of bytes, when there is no waiting between them.
struct BurstStreamRow: Row {
    private static let connectionCount = 16
    private static let eventCount = 1_000

    let id = "sse-burst"
    let field = Field.all
    let upstream = UpstreamKind.standIn
    let metrics = [Metric("SSE event, many in one read", "CPU µs", .ratioAtMost(1.0))]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        let load = try ClosedLoop(
            port: session.plainPort, connections: Self.connectionCount,
            request: session.request(.burst(eventCount: Self.eventCount)))
        return [try Window.measure(load, session, settings).microsecondsPerEvent]
    }
}
