/// Which subjects do the work of a row.
enum Field {
    /// The judged one alone: others have no such things.
    case judged
    /// The judged one and the yardstick.
    case yardstick
    /// Every proxy there is; those that are not the yardstick in the first round only.
    case all
}

/// A kind of work and the numbers it yields.
protocol Row: Sendable {
    /// What `--only` calls it.
    var id: String { get }
    var metrics: [Metric] { get }
    /// What answers its requests.
    var upstream: UpstreamKind { get }
    /// What Sluice is configured with beside its providers.
    var policies: Policies { get }
    /// Who takes part.
    var field: Field { get }
    /// How many rounds it takes at most: what is counted rather than timed needs no more than one.
    var runsMax: Int { get }
    /// Whether the upstream is measured as well, without a proxy.
    var measuresDirect: Bool { get }

    /// Puts a freshly started subject to work and returns a number for each metric.
    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double]
}

extension Row {
    var upstream: UpstreamKind { .mock }
    var policies: Policies { .none }
    var field: Field { .yardstick }
    var runsMax: Int { .max }
    var measuresDirect: Bool { metrics.contains { $0.isOverDirect } }
}

/// All rows, in the order of the table.
enum Rows {
    static let all: [any Row] = [
        ServiceRow(), LatencyRow.plain, LatencyRow.production, FrontierRow(), ConcurrencyRow(), StartRow(), ChatRow.plain,
        ChatRow.tls, ChatRow.http2, ChatRow.tlsHTTP2, PromptRow(), BurstStreamRow(), PacedStreamRow(), FirstWordRow(),
        SilentStreamRow(), LargeBodyRow(), TranslationRow(), CacheRow.memory, CacheRow.redis, PolicyRow(), HitRateRow(),
        IdenticalRow(), FlappingRow(), DeadTargetRow(), CutStreamRow(), DeadRedisRow(), MemoryLimitRow(), SoakRow(),
    ]
}
