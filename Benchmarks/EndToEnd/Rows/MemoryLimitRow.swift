/// A thousand requests a second, half of them from the cache, in 64 MB with everything on: what a sidecar is given.
///
/// The limit is a control group's, as in a container; where none can be made, the most that was resident has to do.
struct MemoryLimitRow: Row {
    private static let byteCountMax = 64 * 1_048_576
    private static let connectionCount = 64
    private static let patience = Clock.second

    let id = "memory-64"
    let field = Field.judged
    let policies = Policies.production
    let runsMax = 1
    let metrics = [
        Metric("1000 a second within 64 MB", "TPS", .atLeast(1_000)),
        Metric("  most memory resident", "MB RSS", .atMost(64)),
    ]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        guard let subject = session.subject else { throw Failure("there is nothing to limit") }
        guard let limit = MemoryLimit(byteCount: Self.byteCountMax) else {
            session.note("no control group can be made here: judged by the most memory resident, without a limit")
            return try measureProcess(of: session, settings)
        }
        defer { limit.remove() }
        let limited = try Session(subject, on: session.stage, session.upstream, policies, within: limit)
        defer { limited.end() }
        let numbers = try measureProcess(of: limited, settings)
        guard limit.killCount == 0 else { throw Failure("the kernel ended it for want of memory") }
        let used = Text.short(Double(limit.peakByteCount) / 1_048_576)
        session.note("in a control group of 64 MB, of which \(used) were used, pages of files included")
        return numbers
    }

    private func measureProcess(of session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        guard let tree = session.tree else { throw Failure("there is no process to look at") }
        let load = try OpenLoop(
            port: session.plainPort, ratePerSecond: settings.rate, connections: Self.connectionCount,
            request: session.request(.plain, variation: .repeats(0.5)))
        try load.run(until: Clock.now() + settings.warmUp)
        let deadline = Clock.now() + 4 * settings.window
        let dueCount = load.startRecording(until: deadline)
        load.totals = Totals()
        try load.run(until: deadline)
        try load.drain(until: deadline + Self.patience)
        let totals = load.totals
        if let failure = totals.firstFailure { throw Failure("\(totals.failed) of \(dueCount) failed: \(failure)") }
        return [
            Double(settings.rate) * Double(totals.completed) / Double(max(1, dueCount)),
            Double(tree.peakResidentByteCount()) / 1_048_576,
        ]
    }
}
