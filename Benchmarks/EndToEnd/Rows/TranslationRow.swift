/// What translating costs: the same work from a provider that speaks Anthropic's Messages, and from one that speaks OpenAI's dialect a
/// moment before, on the same process. Only Sluice translates.
struct TranslationRow: Row {
    private static let connectionCount = 64
    private static let streamConnectionCount = 16
    private static let eventCount = 1_000

    let id = "translate"
    let upstream = UpstreamKind.standIn
    let field = Field.judged
    let runsMax = 2
    let metrics = [
        Metric("chat, Messages provider", "CPU µs"),
        Metric("  times one that passes as it is", "x", .atMost(2)),
        Metric("SSE event, Messages provider", "CPU µs"),
        Metric("  times one that passes as it is", "x", .atMost(2)),
    ]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        let passed = try microsecondsPerRequest(translated: false, session, settings)
        let translated = try microsecondsPerRequest(translated: true, session, settings)
        let passedEvent = try microsecondsPerEvent(translated: false, session, settings)
        let translatedEvent = try microsecondsPerEvent(translated: true, session, settings)
        return [translated, translated / passed, translatedEvent, translatedEvent / passedEvent]
    }

    private func microsecondsPerRequest(
        translated: Bool, _ session: Session, _ settings: Settings
    ) throws(Failure) -> Double {
        let load = try ClosedLoop(
            port: session.plainPort, connections: Self.connectionCount,
            request: ChatRequest(.plain, translated: translated))
        return try Window.measure(load, session, settings).microsecondsPerRequest
    }

    private func microsecondsPerEvent(
        translated: Bool, _ session: Session, _ settings: Settings
    ) throws(Failure) -> Double {
        let load = try ClosedLoop(
            port: session.plainPort, connections: Self.streamConnectionCount,
            request: ChatRequest(.burst(eventCount: Self.eventCount), translated: translated))
        return try Window.measure(load, session, settings).microsecondsPerEvent
    }
}
