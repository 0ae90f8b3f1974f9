/// The highest rate at which the last hundredth of the requests is answered within 20 ms, counted from when each was due.
///
/// The load and the upstream share a core, and end somewhere too: the same search without a proxy says where.
struct FrontierRow: Row {
    private static let connectionCount = 64
    private static let tailMaxMilliseconds = 20.0
    /// What a closed loop gets through bounds the search from above, and a share of it from below.
    private static let shares = (low: 1.0 / 8, high: 1.15)
    private static let stepCount = 6
    private static let patience = 500 * Clock.millisecond

    let id = "frontier"
    let upstream = UpstreamKind.standIn
    let field = Field.all
    let runsMax = 1
    let measuresDirect = true
    let metrics = [Metric("highest rate with p99 <= 20 ms", "TPS", .atLeast(1_000))]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        let request = try session.request(.plain, variation: .each)
        let closed = try Window.measure(
            ClosedLoop(port: session.plainPort, connections: Self.connectionCount, request: request), session, settings)
        var (low, high) = (closed.requestsPerSecond * Self.shares.low, closed.requestsPerSecond * Self.shares.high)
        var best = 0.0
        for _ in 0..<Self.stepCount {
            let rate = (low * high).squareRoot()
            let tail = try tail(at: Int(rate), request, session, settings)
            if let tail { session.addPoint(rate, tail) }
            if let tail, tail <= Self.tailMaxMilliseconds {
                best = Double(Int(rate))
                low = rate
            } else {
                high = rate
            }
        }
        guard best > 0 else { throw Failure("no rate from \(Text.short(low)) a second on was kept up") }
        return [best]
    }

    /// The 99th percentile in milliseconds; `nil` where not every request was answered.
    private func tail(
        at rate: Int, _ request: ChatRequest, _ session: Session, _ settings: Settings
    ) throws(Failure) -> Double? {
        let load = try OpenLoop(
            port: session.plainPort, ratePerSecond: max(1, rate), connections: Self.connectionCount, request: request)
        try load.run(until: Clock.now() + min(settings.warmUp, Clock.second) / 2)
        let deadline = Clock.now() + settings.window / 2
        let dueCount = load.startRecording(until: deadline)
        load.totals = Totals()
        do {
            try load.run(until: deadline)
            try load.drain(until: deadline + Self.patience)
        } catch {
            return nil
        }
        guard load.totals.failed == 0, load.totals.completed >= dueCount else { return nil }
        return load.totals.latency.milliseconds(0.99)
    }
}
