/// Long prompts, and how much more they cost than small ones on the same process a moment before.
struct PromptRow: Row {
    private static let bodyByteCount = 32_768
    private static let connectionCount = 64

    let id = "prompt-32k"
    let upstream = UpstreamKind.standIn
    let metrics = [
        Metric("chat, 32 KB prompt", "CPU µs"),
        Metric("  more than a small one", "CPU µs", .atMost(25)),
    ]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        let small = try microseconds(300, session, settings)
        let large = try microseconds(Self.bodyByteCount, session, settings)
        return [large, large - small]
    }

    private func microseconds(_ byteCount: Int, _ session: Session, _ settings: Settings) throws(Failure) -> Double {
        let load = try ClosedLoop(
            port: session.plainPort, connections: Self.connectionCount,
            request: session.request(.plain, bodyByteCount: byteCount))
        return try Window.measure(load, session, settings).microsecondsPerRequest
    }
}
