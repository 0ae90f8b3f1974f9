/// What the platform promises: a thousand requests a second on one node, with everything on that it is run with, answered
/// from the cache, and by a provider that takes half a second, which is five hundred requests under way at any time.
struct ServiceRow: Row {
    private static let connectionCount = 64
    private static let promptCount = 256
    private static let upstreamMilliseconds = 500
    private static let patience = 2 * Clock.second

    let id = "service"
    let field = Field.judged
    let policies = Policies.production
    let runsMax = 1
    let metrics = [
        Metric("1000 a second, cache hits", "TPS", .atLeast(1_000)),
        Metric("  latency, mean", "ms", .atMost(500)),
        Metric("  latency, p95", "ms"),
        Metric("1000 a second, misses of 500 ms", "TPS", .atLeast(1_000)),
        Metric("  latency, mean", "ms", .atMost(2_000)),
        Metric("  latency, p95 at 500 concurrent", "ms", .atMost(2_000)),
        Metric("  CPU, of one core", "%", .atMost(70)),
        Metric("  memory, of the machine's", "%", .atMost(70)),
        Metric("  memory", "MB RSS"),
    ]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        guard let tree = session.tree else { throw Failure("there is no process to look at") }
        let hits = try run(
            session.request(.plain, variation: .among(Self.promptCount)), session, settings,
            warmUp: max(settings.warmUp, Clock.second))
        let start = (time: Clock.now(), processorTime: tree.processorTime())
        let misses = try run(
            session.request(.delayed(milliseconds: Self.upstreamMilliseconds), variation: .each), session, settings,
            warmUp: settings.warmUp)
        let busy = Double(tree.processorTime() - start.processorTime) / Double(Clock.now() - start.time)
        let resident = Double(tree.residentByteCount())
        return [
            hits.rate, hits.latency.meanMilliseconds, hits.latency.milliseconds(0.95),
            misses.rate, misses.latency.meanMilliseconds, misses.latency.milliseconds(0.95),
            busy * 100, resident / Double(max(1, Machine().memoryByteCount)) * 100, resident / 1_048_576,
        ]
    }

    /// How much of the rate was answered, and how late.
    private func run(
        _ request: ChatRequest, _ session: Session, _ settings: Settings, warmUp: Int
    ) throws(Failure) -> (rate: Double, latency: Histogram) {
        let load = try OpenLoop(
            port: session.plainPort, ratePerSecond: settings.rate, connections: Self.connectionCount, request: request)
        try load.run(until: Clock.now() + warmUp)
        let deadline = Clock.now() + 2 * settings.window
        let dueCount = load.startRecording(until: deadline)
        load.totals = Totals()
        try load.run(until: deadline)
        try load.drain(until: deadline + Self.patience)
        load.recordUnanswered()
        let totals = load.totals
        if let failure = totals.firstFailure { throw Failure("\(totals.failed) of \(dueCount) failed: \(failure)") }
        return (Double(settings.rate) * Double(totals.completed) / Double(max(1, dueCount)), totals.latency)
    }
}
