/// Chat requests that were asked before: what a hit costs beside a request that a plain proxy passes on.
struct CacheRow: Row {
    private static let connectionCount = 64

    static let memory = CacheRow(
        id: "cache-memory", policies: .memoryCache, promptCount: 256,
        metrics: [Metric("chat, hit in memory", "CPU µs", .ratioAtMost(0.7))])
    static let redis = CacheRow(
        id: "cache-redis", policies: .redisCache, promptCount: 8_192,
        metrics: [Metric("chat, hit in Redis", "CPU µs", .ratioAtMost(1.5))])

    let id: String
    let upstream = UpstreamKind.standIn
    let policies: Policies
    /// How many requests take turns: for Redis more than fit into the memory that a process has at least.
    let promptCount: Int
    let metrics: [Metric]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        let load = try ClosedLoop(
            port: session.plainPort, connections: Self.connectionCount,
            request: session.request(.plain, variation: .among(promptCount)))
        return [try Window.measure(load, session, settings).microsecondsPerRequest]
    }
}
