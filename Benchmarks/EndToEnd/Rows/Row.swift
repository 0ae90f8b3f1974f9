/// A kind of work and the numbers it yields.
protocol Row: Sendable {
    /// What `--only` calls it.
    var id: String { get }
    var metrics: [Metric] { get }
    /// What answers its requests.
    var upstream: UpstreamKind { get }
    /// What Sluice is configured with beside its providers.
    var policies: Policies { get }
    /// Whether it is work that a plain proxy does as well.
    var isForProxies: Bool { get }

    /// Puts a freshly started subject to work and returns a number for each metric.
    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double]
}

extension Row {
    var upstream: UpstreamKind { .mock }
    var policies: Policies { .none }
    var isForProxies: Bool { true }

    /// Whether the upstream is measured as well, without a proxy.
    var needsDirect: Bool { metrics.contains { $0.isOverDirect } }
}

/// All rows, in the order of the table.
enum Rows {
    static let all: [any Row] = [
        StartRow(), ChatRow.plain, ChatRow.tls, ChatRow.http2, ChatRow.tlsHTTP2, PromptRow(), BurstStreamRow(),
        PacedStreamRow(), TranslationRow(), CacheRow.memory, CacheRow.redis, PolicyRow(), HitRateRow(), IdenticalRow(),
        FlappingRow(), DeadTargetRow(), FirstByteRow(), LatencyRow(), ConcurrencyRow(), SilentStreamRow(),
        LargeBodyRow(),
    ]
}
