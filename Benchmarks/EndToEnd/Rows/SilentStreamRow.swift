/// Thousands of streams that have begun and then say nothing, as while a model thinks: what each keeps in memory.
struct SilentStreamRow: Row {
    /// Streams under way to their first event at a time; the others are waiting already.
    private static let pendingMax = 256
    private static let openingTimeMax = 15 * Clock.second
    private static let settlingTime = Clock.second

    let id = "silent"
    let field = Field.all
    let runsMax = 1
    let metrics = [
        Metric("silent streams held", "streams", .atLeast(1_000)),
        Metric("  of those that were begun", "%", .atLeast(100)),
        Metric("  memory of each", "KB RSS", .atMost(8)),
    ]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        guard let tree = session.tree else { throw Failure("there is no process to look at") }
        let warmUp = try ClosedLoop(port: session.plainPort, connections: 64, request: session.request(.plain))
        try warmUp.run(until: Clock.now() + settings.warmUp)
        let before = tree.residentByteCount()
        let count = settings.silentStreamCount
        let streams = try Batch(
            port: session.plainPort, count: count, pendingMax: Self.pendingMax, request: session.request(.silent),
            goal: .firstEvent)
        do {
            try streams.run(until: Clock.now() + Self.openingTimeMax)
        } catch {
            session.note(error.description)
        }
        try streams.hold(until: Clock.now() + Self.settlingTime)
        let after = tree.residentByteCount()
        let held = Double(streams.doneCount)
        guard held > 0 else { throw Failure("no stream has begun") }
        return [held, held / Double(count) * 100, Double(after - before) / 1_024 / held]
    }
}
