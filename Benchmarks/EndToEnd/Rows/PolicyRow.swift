/// Requests that pass every policy and hit none, and what that costs more than the core alone, on another process a moment before and
/// after.
struct PolicyRow: Row {
    private static let connectionCount = 64

    let id = "policies"
    let upstream = UpstreamKind.standIn
    let field = Field.judged
    let runsMax = 2
    let metrics = [
        Metric("chat, all policies on, no hit", "CPU µs"),
        Metric("  times the core alone", "x", .atMost(1.15)),
    ]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        guard let subject = session.subject else { throw Failure("there is nothing to configure") }
        let before = try microseconds(session, settings)
        let other = try Session(subject, on: session.stage, session.upstream, .all)
        defer { other.end() }
        let all = try microseconds(other, settings)
        let after = try microseconds(session, settings)
        return [all, all / ((before + after) / 2)]
    }

    private func microseconds(_ session: Session, _ settings: Settings) throws(Failure) -> Double {
        let load = try ClosedLoop(
            port: session.plainPort, connections: Self.connectionCount,
            request: session.request(.plain, variation: .each))
        return try Window.measure(load, session, settings).microsecondsPerRequest
    }
}
