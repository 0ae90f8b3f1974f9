/// A thousand times the same question at once: how often the provider is asked.
struct IdenticalRow: Row {
    private static let upstreamMilliseconds = 200
    private static let timeMax = 20 * Clock.second

    let id = "identical"
    let field = Field.judged
    let runsMax = 1
    let policies = Policies.memoryCache
    let metrics = [Metric("1,000 identical at once", "calls", .atMost(1))]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        let count = min(settings.silentStreamCount, 1_000)
        let behaviour = Behaviour.delayed(milliseconds: Self.upstreamMilliseconds)
        let request = try session.request(behaviour)
        let before = try session.stage.mockAttempts(behaviour.modelName)
        let batch = try Batch(
            port: session.plainPort, count: count, pendingMax: count, request: request, goal: .completeReply)
        try batch.run(until: Clock.now() + Self.timeMax)
        return [Double(try session.stage.mockAttempts(behaviour.modelName) - before)]
    }
}
