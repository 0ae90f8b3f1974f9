/// A model with three targets, one of which is not there: how late the late ones are, against three that are well.
struct DeadTargetRow: Row {
    private static let connectionCount = 64
    private static let upstreamMilliseconds = 10
    private static let patience = Clock.second

    let id = "dead-target"
    let upstream = UpstreamKind.standIn
    let field = Field.judged
    let runsMax = 1
    let policies = Policies.oneDead
    let metrics = [
        Metric("one of three targets dead, p99", "ms"),
        Metric("  times three that are well", "x", .atMost(1.2)),
    ]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        guard let subject = session.subject else { throw Failure("there is nothing to configure") }
        let dead = try milliseconds(session, settings)
        let other = try Session(subject, on: session.stage, session.upstream, .threeTargets)
        defer { other.end() }
        return [dead, dead / (try milliseconds(other, settings))]
    }

    private func milliseconds(_ session: Session, _ settings: Settings) throws(Failure) -> Double {
        let load = try OpenLoop(
            port: session.plainPort, ratePerSecond: settings.rate, connections: Self.connectionCount,
            request: session.request(.delayed(milliseconds: Self.upstreamMilliseconds)))
        try load.run(until: Clock.now() + settings.warmUp)
        let deadline = Clock.now() + 2 * settings.window
        _ = load.startRecording(until: deadline)
        load.totals = Totals()
        try load.run(until: deadline)
        try load.drain(until: deadline + Self.patience)
        load.recordUnanswered()
        if let failure = load.totals.firstFailure { throw Failure("\(load.totals.failed) failed: \(failure)") }
        guard load.totals.completed > 0 else { throw Failure("no request was answered") }
        return load.totals.latency.milliseconds(0.99)
    }
}
