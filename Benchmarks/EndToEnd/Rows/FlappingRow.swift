/// A provider that fails for a while, is well for a while, and again, with another one behind it: attempts a request, all of which are
/// answered.
struct FlappingRow: Row {
    private static let connectionCount = 64

    let id = "flapping"
    let field = Field.judged
    let runsMax = 1
    let policies = Policies.flapping
    let metrics = [Metric("flapping upstream, attempts", "/request", .atMost(1.1))]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        let load = try OpenLoop(
            port: session.plainPort, ratePerSecond: settings.rate, connections: Self.connectionCount,
            request: ChatRequest(.plain))
        let before = try attempts(session)
        let start = Clock.now()
        try load.run(until: start + 2 * settings.window)
        try load.drain(until: Clock.now() + Clock.second)
        let totals = load.totals
        if let failure = totals.firstFailure { throw Failure("\(totals.failed) requests failed: \(failure)") }
        guard totals.completed > 0 else { throw Failure("no request was answered") }
        return [Double(try attempts(session) - before) / Double(totals.completed)]
    }

    private func attempts(_ session: Session) throws(Failure) -> Int {
        let stage = session.stage
        return try stage.mockAttempts(Policies.flappingModel) + stage.mockAttempts(Behaviour.plain.modelName)
    }
}
