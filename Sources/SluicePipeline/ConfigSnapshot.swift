package import SluiceConfig
internal import SluiceCore
package import SluiceIdentity
package import SluicePolicy
package import SluiceProviders
package import SluiceStorage

/// The configuration as it is in force: immutable, shared by all workers, swapped whole. An exchange keeps the one it started with.
package final class ConfigSnapshot: Sendable {
    package struct Limits: Sendable {
        package var bodyBytesMax = 33_554_432
        package var uploadBytesMax = 536_870_912
        package var replyBytesBufferedMax = 262_144
        package var eventBytesMax = 1_048_576
        /// Exchanges of the process at one time.
        package var inFlightMax = 10_000
        /// For the answer of a request that does not say how long it may be, in tokens.
        package var outputTokensReserved = 1024

        package init() {}
    }

    /// What is done about attempts that fail or are slow.
    package struct Recovery: Sendable {
        package var retries = RetrySettings()
        /// `nil`: no target is left alone.
        package var breakers: BreakerSettings? = BreakerSettings()
        /// `nil`: no request is asked twice.
        package var hedging: HedgeSettings?

        package init() {}
    }

    /// Counts up with every configuration that came into force.
    package let revision: Int
    package let providers: [String: Provider]
    /// What answers which model.
    package let routes: RouteTable
    /// Takes what no other rule places.
    package let defaultProvider: Provider?
    /// What happens to a request that asks for more than its model can do.
    package let unsupported: FieldReport.Mode
    package let limits: Limits
    package let timeouts: TimeoutsConfiguration
    package let recovery: Recovery
    package let streams: StreamSettings
    package let media: MediaPolicy
    /// Whether whoever can connect to the admin port may read the metrics there.
    package let hasOpenMetrics: Bool
    /// `nil`: nothing is cached.
    package let cache: CacheSettings?
    /// `nil`: idempotency keys are passed on, and mean nothing here.
    package let idempotency: IdempotencySettings?
    package let logsExchanges: Bool
    package let lasting: LastingState
    /// Whether some policy depends on who asks: reading that has its price.
    package let asksWhoCalls: Bool
    /// `nil`: as many requests at one time as come.
    package let concurrency: ConcurrencyPolicy?
    /// `nil`: errors are told as what they are.
    package let degraded: DegradedPolicy?
    package let showsTarget: TargetDisplay
    /// Rate limits and budgets; `nil` if there are none.
    package let rateLimits: LimitSet?
    /// Who may come in, and what for; `nil`: whoever can connect may do everything.
    package let access: AccessPolicy?
    /// What is noted of exchanges for their records; `nil`: there are none.
    package let records: RecordSettings?
    /// Gives clients tokens of Sluice's own; `nil`: there is no such endpoint.
    package let tokenOffice: TokenOffice?
    /// `nil`: there is no Redis.
    package let redis: RedisSettings?
    /// `nil`: nobody traces, and what others say of traces passes as it comes.
    package let tracing: TraceSettings?

    package init(
        revision: Int, providers: [Provider], models: [String: Model], aliases: [String: String] = [:],
        rules: [RouteRule] = [], defaultProvider: Provider?, showsTarget: TargetDisplay = .whereChosen,
        unsupported: FieldReport.Mode = .warn, limits: Limits, timeouts: TimeoutsConfiguration, recovery: Recovery = Recovery(),
        streams: StreamSettings = StreamSettings(),
        media: MediaPolicy = MediaPolicy(), hasOpenMetrics: Bool = false,
        cache: CacheSettings? = nil, idempotency: IdempotencySettings? = nil,
        logsExchanges: Bool, lasting: LastingState = LastingState(), asksWhoCalls: Bool = false,
        concurrency: ConcurrencyPolicy? = nil, degraded: DegradedPolicy? = nil,
        rateLimits: LimitSet? = nil, redis: RedisSettings? = nil, access: AccessPolicy? = nil,
        records: RecordSettings? = nil, tokenOffice: TokenOffice? = nil, tracing: TraceSettings? = nil
    ) {
        self.revision = revision
        self.providers = Dictionary(providers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let defaultProvider = defaultProvider ?? (providers.count == 1 ? providers.first : nil)
        self.defaultProvider = defaultProvider
        routes = RouteTable(
            models: models, aliases: aliases, rules: rules, providers: self.providers, defaultProvider: defaultProvider,
            timeouts: timeouts, states: lasting.targets)
        self.showsTarget = showsTarget
        self.unsupported = unsupported
        self.limits = limits
        self.timeouts = timeouts
        self.recovery = recovery
        self.streams = streams
        self.media = media
        self.hasOpenMetrics = hasOpenMetrics
        self.cache = cache
        self.idempotency = idempotency
        self.logsExchanges = logsExchanges
        self.lasting = lasting
        self.concurrency = concurrency
        self.degraded = degraded
        self.redis = redis
        self.tracing = tracing
        self.access = access
        self.records = records
        self.tokenOffice = tokenOffice
        self.rateLimits = rateLimits
        let isLimitedByCaller = rateLimits.map { !$0.parts.isDisjoint(with: .callers) } ?? false
        self.asksWhoCalls =
            asksWhoCalls || records != nil || routes.asksWhoCalls || isLimitedByCaller || concurrency?.priorities.asksWhoCalls == true
    }
}
