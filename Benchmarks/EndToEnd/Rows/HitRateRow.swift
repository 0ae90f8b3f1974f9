/// Traffic in which four of five requests were asked before: how many of those that can be hits are.
struct HitRateRow: Row {
    private static let connectionCount = 64
    private static let repeatShare = 0.8

    let id = "hit-rate"
    let field = Field.judged
    let runsMax = 1
    let policies = Policies.memoryCache
    let metrics = [Metric("80 % repeats, hits of those possible", "%", .atLeast(80))]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        let load = try ClosedLoop(
            port: session.plainPort, connections: Self.connectionCount,
            request: session.request(.plain, variation: .repeats(Self.repeatShare)))
        let model = Behaviour.plain.modelName
        let before = try session.stage.mockAttempts(model)
        try load.run(until: Clock.now() + settings.window)
        let asked = try session.stage.mockAttempts(model) - before
        if let failure = load.totals.firstFailure { throw Failure("\(load.totals.failed) failed: \(failure)") }
        let possible = load.totals.completed - load.distinctCount
        guard possible > 0 else { throw Failure("nothing was asked twice") }
        return [Double(load.totals.completed - asked) / Double(possible) * 100]
    }
}
