package import SluicePolicy

/// Everything that a configuration file can say.
package struct ServerConfiguration: Sendable, Equatable {
    /// At least one. Default: one on 127.0.0.1:4010.
    package var listeners = [ListenerConfiguration()]
    /// Where health is served; `nil` for nowhere. Default 127.0.0.1:4011.
    package var admin: ListenAddress? = .ip4("127.0.0.1", port: 4011)
    /// Default operators.
    package var adminMetrics = AdminMetrics.operators
    /// Default auto.
    package var workers = Workers.automatic
    /// What answers a model that nothing else claims; default: the only provider, if there is one only.
    package var defaultProvider: String?
    /// Default auto.
    package var environmentProviders = EnvironmentUse.auto
    /// Those of the file in its order, then those found in the environment.
    package var providers: [ProviderConfiguration] = []
    /// What providers may be.
    package var adapters = AdapterLibrary.builtIn
    /// What happens to a request that asks for more than its model can do. Default warn.
    package var unsupported = Unsupported.warn
    package var models: [ModelConfiguration] = []
    /// Other names for models.
    package var aliases: [Named<String>] = []
    /// The first that matches a request counts.
    package var routes: [RouteRule] = []
    /// Default auto.
    package var replyHeaders = ReplyHeaders.auto
    package var limits = LimitsConfiguration()
    package var rateLimits: [RateLimitConfiguration] = []
    package var budgets: [BudgetConfiguration] = []
    package var timeouts = TimeoutsConfiguration()
    package var retries = RetrySettings()
    package var breakers = BreakersConfiguration()
    /// `nil`: no request is asked twice.
    package var hedging: HedgeSettings?
    package var streams = StreamSettings()
    package var log = LogConfiguration()
    package var media = MediaConfiguration()
    package var drain = DrainConfiguration()
    /// `nil`: as many as come.
    package var concurrency: ConcurrencyConfiguration?
    /// `nil`: errors are told as what they are.
    package var degraded: DegradedConfiguration?
    /// `nil`: nothing is cached.
    package var cache: CacheConfiguration?
    package var idempotency = IdempotencyConfiguration()
    /// `nil`: whoever can connect may do everything.
    package var access: AccessConfiguration?
    /// Default: none.
    package var redis: RedisConfiguration?
    /// `nil`: there is no master key.
    package var secrets: SecretsConfiguration?
    package var audit = AuditConfiguration()
    /// Where the audit log is; `nil`: there is none.
    package var auditDirectory: String? { audit.isEnabled ? audit.directory ?? storage?.directory : nil }
    /// `nil`: nothing is kept on the disk.
    package var storage: StorageConfiguration?
    package var control = ControlConfiguration()
    /// `nil`: nothing is recorded.
    package var records: RecordsConfiguration?
    package var metrics = MetricsConfiguration()
    /// `nil`: nobody traces, and nothing is sent by OTLP.
    package var telemetry: TelemetryConfiguration?
    /// What an operator should be told at the start: nothing is wrong, but something may surprise.
    package var notes: [String] = []

    package init() {}

    package enum Workers: Sendable, Equatable {
        /// As many as the cores that are granted to the process.
        case automatic
        /// 1 to 256.
        case count(Int)
    }

    /// Who may read the metrics on the admin port.
    package enum AdminMetrics: String, Sendable, CaseIterable {
        /// Who may read the rest of it.
        case operators
        /// Whoever can connect.
        case everyone
    }

    /// What happens to a request that asks for more than its model can do.
    package enum Unsupported: String, Sendable, CaseIterable {
        /// It is refused before the call.
        case strict
        /// It goes out without, and a header of the reply names what was lost.
        case warn
        /// It goes out without; the log says so.
        case drop
    }

    /// When providers whose keys are in environment variables are used.
    package enum EnvironmentUse: String, Sendable, CaseIterable {
        /// When the configuration names no provider.
        case auto
        case always, never
    }

    package func provider(named name: String) -> ProviderConfiguration? { providers.first { $0.name == name } }
}
