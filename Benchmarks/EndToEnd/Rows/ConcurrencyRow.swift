/// 500 requests under way against an upstream that takes 50 ms for each: at best 10,000 a second, 50 ms each.
struct ConcurrencyRow: Row {
    private static let connectionCount = 500

    let id = "concurrent"
    let field = Field.all
    let metrics = [
        Metric("500 concurrent, 50 ms upstream", "TPS", .atLeast(1_000)),
        Metric("  latency, p95", "ms", .atMost(60)),
    ]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        let load = try ClosedLoop(
            port: session.plainPort, connections: Self.connectionCount,
            request: session.request(.delayed(milliseconds: 50)), rampUp: 50 * Clock.millisecond)
        let window = try Window.measure(load, session, settings)
        return [window.requestsPerSecond, window.totals.latency.milliseconds(0.95)]
    }
}
