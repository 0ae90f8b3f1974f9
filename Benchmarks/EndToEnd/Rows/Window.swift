/// What happened between two readings of the clocks, under a load that ran before and went on after.
struct Window {
    let totals: Totals
    /// User and system time of the subject's process tree, and time on the wall, in nanoseconds.
    let processorTime: Int
    let wallTime: Int

    /// Warms up, then counts.
    ///
    /// - Throws: `Failure` when nothing got through, or anything failed: such a number would flatter.
    static func measure(_ load: some Load, _ session: Session, _ settings: Settings) throws(Failure) -> Window {
        try load.run(until: Clock.now() + settings.warmUp)
        load.totals = Totals()
        let processorStart = session.tree?.processorTime() ?? 0
        let start = Clock.now()
        try load.run(until: start + settings.window)
        let end = Clock.now()
        let processorEnd = session.tree?.processorTime() ?? 0
        let totals = load.totals
        if let failure = totals.firstFailure { throw Failure("\(totals.failed) requests failed: \(failure)") }
        if totals.completed == 0 && totals.events == 0 { throw Failure("no request was answered") }
        return Window(totals: totals, processorTime: processorEnd - processorStart, wallTime: end - start)
    }

    var microsecondsPerRequest: Double { Double(processorTime) / 1e3 / Double(max(1, totals.completed)) }

    var microsecondsPerEvent: Double { Double(processorTime) / 1e3 / Double(max(1, totals.events)) }

    var requestsPerSecond: Double { Double(totals.completed) * 1e9 / Double(max(1, wallTime)) }
}
