/// A Redis for the cache and for limits that is not there: whether anybody notices.
struct DeadRedisRow: Row {
    private static let connectionCount = 64
    private static let patience = Clock.second

    let id = "dead-redis"
    let field = Field.judged
    let policies = Policies.deadRedis
    let runsMax = 1
    let metrics = [
        Metric("Redis is not there, answered", "%", .atLeast(100)),
        Metric("  latency, p99", "ms", .atMost(100)),
    ]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        let load = try OpenLoop(
            port: session.plainPort, ratePerSecond: settings.rate, connections: Self.connectionCount,
            request: session.request(.plain, variation: .each))
        let deadline = Clock.now() + 2 * settings.window
        let dueCount = load.startRecording(until: deadline)
        try load.run(until: deadline)
        try load.drain(until: deadline + Self.patience)
        load.recordUnanswered()
        let totals = load.totals
        if let failure = totals.firstFailure { session.note("\(totals.failed) of \(dueCount) requests: \(failure)") }
        return [Double(totals.completed) / Double(max(1, dueCount)) * 100, totals.latency.milliseconds(0.99)]
    }
}
