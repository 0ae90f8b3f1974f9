/// Requests at a fixed rate: whether it is kept up, and what it adds to calling the upstream directly. No two are
/// the same, so that no cache spares a proxy its work.
struct LatencyRow: Row {
    private static let connectionCount = 64
    /// A reply later than this after the window is counted as none.
    private static let patience = Clock.second

    /// As a proxy, beside others.
    static let plain = LatencyRow(id: "latency", policies: .none, field: .all, title: "open loop at 1000 per second")
    /// With everything that a platform has on: JSON is read, tokens are counted, records, metrics and the log are written.
    static let production = LatencyRow(
        id: "latency-production", policies: .production, field: .judged, title: "the same, with telemetry and policies")

    let id: String
    let policies: Policies
    let field: Field
    let metrics: [Metric]

    private init(id: String, policies: Policies, field: Field, title: String) {
        self.id = id
        self.policies = policies
        self.field = field
        metrics = [
            Metric(title, "TPS", .atLeast(1_000)),
            Metric("  CPU per request at that rate", "CPU µs"),
            Metric("  added latency, mean", "ms", isOverDirect: true),
            Metric("  added latency, p50", "ms", isOverDirect: true),
            Metric("  added latency, p99", "ms", .atMost(1), isOverDirect: true),
            Metric("  added latency, p99.9", "ms", isOverDirect: true),
        ]
    }

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        let load = try OpenLoop(
            port: session.plainPort, ratePerSecond: settings.rate, connections: Self.connectionCount,
            request: session.request(.plain, variation: .each))
        try load.run(until: Clock.now() + settings.warmUp)
        let deadline = Clock.now() + 2 * settings.window
        let dueCount = load.startRecording(until: deadline)
        load.totals = Totals()
        let processorStart = session.tree?.processorTime() ?? 0
        try load.run(until: deadline)
        let processorTime = (session.tree?.processorTime() ?? 0) - processorStart
        try load.drain(until: deadline + Self.patience)
        load.recordUnanswered()
        let totals = load.totals
        if let failure = totals.firstFailure { throw Failure("\(totals.failed) of \(dueCount) failed: \(failure)") }
        guard totals.completed > 0 else { throw Failure("no request was answered") }
        let latency = totals.latency
        return [
            Double(settings.rate) * Double(totals.completed) / Double(dueCount),
            Double(processorTime) / 1e3 / Double(totals.completed),
            latency.meanMilliseconds, latency.milliseconds(0.5), latency.milliseconds(0.99), latency.milliseconds(0.999),
        ]
    }
}
