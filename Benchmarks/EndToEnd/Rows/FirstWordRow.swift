/// Streams that begin at a fixed rate: how much later than from the upstream itself the first word comes.
struct FirstWordRow: Row {
    private static let ratePerSecond = 200
    private static let connectionCount = 64
    private static let eventCount = 10
    private static let gapMilliseconds = 10

    let id = "first-word"
    let metrics = [
        Metric("first word of a stream, added p50", "ms", isOverDirect: true),
        Metric("  p99", "ms", .atMost(1), isOverDirect: true),
    ]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        let load = try OpenLoop(
            port: session.plainPort, ratePerSecond: Self.ratePerSecond, connections: Self.connectionCount,
            request: session.request(.paced(eventCount: Self.eventCount, milliseconds: Self.gapMilliseconds)))
        try load.run(until: Clock.now() + settings.warmUp)
        let deadline = Clock.now() + 2 * settings.window
        _ = load.startRecording(until: deadline)
        load.totals = Totals()
        try load.run(until: deadline)
        let totals = load.totals
        if let failure = totals.firstFailure { throw Failure("\(totals.failed) streams failed: \(failure)") }
        guard totals.completed > 0 else { throw Failure("no stream came to its end") }
        return [totals.firstContent.milliseconds(0.5), totals.firstContent.milliseconds(0.99)]
    }
}
