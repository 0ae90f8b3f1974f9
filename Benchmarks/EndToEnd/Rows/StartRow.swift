/// How long a proxy takes from exec to ready, and what it occupies when nobody asks anything of it.
struct StartRow: Row {
    private static let settlingTime = 300 * Clock.millisecond

    let id = "start"
    let field = Field.all
    let runsMax = 1
    let metrics = [
        Metric("exec to ready", "ms", .atMost(30)),
        Metric("idle memory", "MB RSS", .atMost(14)),
    ]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        guard let subject = session.subject else { throw Failure("there is nothing to start") }
        var times = [Double(session.startTime) / 1e6]
        // A proxy that takes seconds is started once: it is not the median that matters there.
        let count = session.startTime > Clock.second ? 1 : max(1, settings.startCount)
        for _ in 1..<count {
            let again = try Session(subject, on: session.stage, session.upstream)
            times.append(Double(again.startTime) / 1e6)
            again.end()
        }
        Clock.sleep(Self.settlingTime)
        let resident = session.tree?.residentByteCount() ?? 0
        return [Statistics.median(times), Double(resident) / 1_048_576]
    }
}
