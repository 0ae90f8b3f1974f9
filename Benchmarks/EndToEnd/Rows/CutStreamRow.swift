/// Streams one in four of which is cut after two thirds, by two providers alike: how many come whole, told to
/// the end by the other.
struct CutStreamRow: Row {
    private static let ratePerSecond = 100
    private static let connectionCount = 64
    private static let eventCount = 50

    let id = "cut-streams"
    let field = Field.judged
    let policies = Policies.cutting
    let runsMax = 1
    let metrics = [
        Metric("a stream in four cut, whole ones", "%", .atLeast(100)),
        Metric("  requests to providers", "/stream", .atMost(1.6)),
    ]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        var request = ChatRequest(.burst(eventCount: Self.eventCount))
        // What is whole is told by the end, `[DONE]`: where two answers meet, an event may come in two.
        request.replyEventCount = nil
        let load = try OpenLoop(
            port: session.plainPort, ratePerSecond: Self.ratePerSecond, connections: Self.connectionCount, request: request)
        let before = try session.stage.mockAttempts(Policies.cutModel)
        try load.run(until: Clock.now() + 2 * settings.window)
        try load.drain(until: Clock.now() + 2 * Clock.second)
        let totals = load.totals
        let count = totals.completed + totals.failed
        guard count > 0 else { throw Failure("no stream came to its end") }
        if let failure = totals.firstFailure { session.note("\(totals.failed) of \(count) streams: \(failure)") }
        let attempts = try session.stage.mockAttempts(Policies.cutModel) - before
        return [Double(totals.completed) / Double(count) * 100, Double(attempts) / Double(count)]
    }
}
