/// Thousands of streams that have begun and then say nothing, as while a model thinks: what each keeps in memory.
struct SilentStreamRow: Row {
    /// Streams under way to their first event at a time; the others are waiting already.
    private static let pendingMax = 256
    private static let openingTimeMax = 30 * Clock.second
    private static let settlingTime = Clock.second

    let id = "silent"
    let metrics = [Metric("silent stream", "KB RSS", .atMost(8))]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        guard let tree = session.tree else { throw Failure("there is no process to look at") }
        let warmUp = try ClosedLoop(port: session.plainPort, connections: 64, request: session.request(.plain))
        try warmUp.run(until: Clock.now() + settings.warmUp)
        let before = tree.residentByteCount()
        let count = settings.silentStreamCount
        let streams = try Batch(
            port: session.plainPort, count: count, pendingMax: Self.pendingMax, request: session.request(.silent),
            goal: .firstEvent)
        try streams.run(until: Clock.now() + Self.openingTimeMax)
        try streams.hold(until: Clock.now() + Self.settlingTime)
        let after = tree.residentByteCount()
        return [Double(after - before) / 1_024 / Double(count)]
    }
}
