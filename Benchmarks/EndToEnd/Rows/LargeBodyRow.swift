/// Large prompts that come all at once, to an upstream that takes a second: peak memory, and whether it comes back.
struct LargeBodyRow: Row {
    private static let bodyByteCount = 150_000
    private static let upstreamMilliseconds = 1_000
    private static let timeMax = 60 * Clock.second

    let id = "burst-150k"
    let runsMax = 1
    let metrics = [
        Metric("burst of 150 KB requests, peak", "MB RSS", .atMost(400)),
        Metric("  kept some seconds later", "MB RSS", .atMost(40)),
    ]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        guard let tree = session.tree else { throw Failure("there is no process to look at") }
        let warmUp = try ClosedLoop(port: session.plainPort, connections: 64, request: session.request(.plain))
        try warmUp.run(until: Clock.now() + settings.warmUp)
        try tree.resetPeak()
        let count = settings.burstRequestCount
        let request = try session.request(
            .delayed(milliseconds: Self.upstreamMilliseconds), bodyByteCount: Self.bodyByteCount)
        var burst: Batch? = try Batch(
            port: session.plainPort, count: count, pendingMax: count, request: request, goal: .completeReply)
        try burst?.run(until: Clock.now() + Self.timeMax)
        let peak = tree.peakResidentByteCount()
        burst = nil
        Clock.sleep(settings.recovery)
        return [Double(peak) / 1_048_576, Double(tree.residentByteCount()) / 1_048_576]
    }
}
