internal import SluiceCore
package import SluicePolicy
package import SluiceProviders

/// The configuration as it is in force: immutable, shared by all workers, swapped whole. An exchange keeps the one it started with.
package final class ConfigSnapshot: Sendable {
    /// A model that the configuration names.
    package struct Model: Sendable {
        package let provider: Provider
        /// As the provider spells it.
        package let upstreamModel: String
        /// What happens to a request that asks for more than the model can do; `nil`: as it is said for all.
        package let unsupported: FieldReport.Mode?

        package init(provider: Provider, upstreamModel: String, unsupported: FieldReport.Mode? = nil) {
            self.provider = provider
            self.upstreamModel = upstreamModel
            self.unsupported = unsupported
        }
    }

    package struct Limits: Sendable {
        package var bodyBytesMax = 33_554_432
        package var uploadBytesMax = 536_870_912
        package var replyBytesBufferedMax = 262_144
        package var eventBytesMax = 1_048_576
        /// Exchanges of the process at one time.
        package var inFlightMax = 10_000

        package init() {}
    }

    package struct Timeouts: Sendable {
        package var connect = Duration.seconds(3)
        package var firstByte = Duration.seconds(120)
        package var streamIdle = Duration.seconds(120)
        package var total = Duration.seconds(600)
        /// An SSE comment after so much silence; zero: none.
        package var keepAliveComment = Duration.seconds(15)

        package init() {}
    }

    /// Counts up with every configuration that came into force.
    package let revision: Int
    package let providers: [String: Provider]
    package let models: [String: Model]
    /// Takes what no other rule places.
    package let defaultProvider: Provider?
    /// What happens to a request that asks for more than its model can do.
    package let unsupported: FieldReport.Mode
    package let limits: Limits
    package let timeouts: Timeouts
    package let media: MediaPolicy
    package let logsExchanges: Bool
    package let lasting: LastingState
    /// Whether some policy depends on who asks: reading that has its price.
    package let asksWhoCalls: Bool
    /// `nil`: as many requests at one time as come.
    package let concurrency: ConcurrencyPolicy?
    /// `nil`: errors are told as what they are.
    package let degraded: DegradedPolicy?

    package init(
        revision: Int, providers: [Provider], models: [String: Model], defaultProvider: Provider?,
        unsupported: FieldReport.Mode = .warn, limits: Limits, timeouts: Timeouts, media: MediaPolicy = MediaPolicy(),
        logsExchanges: Bool, lasting: LastingState = LastingState(), asksWhoCalls: Bool = false,
        concurrency: ConcurrencyPolicy? = nil, degraded: DegradedPolicy? = nil
    ) {
        self.revision = revision
        self.providers = Dictionary(providers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.models = models
        self.defaultProvider = defaultProvider ?? (providers.count == 1 ? providers.first : nil)
        self.unsupported = unsupported
        self.limits = limits
        self.timeouts = timeouts
        self.media = media
        self.logsExchanges = logsExchanges
        self.lasting = lasting
        self.asksWhoCalls = asksWhoCalls || concurrency?.priorities.asksWhoCalls == true
        self.concurrency = concurrency
        self.degraded = degraded
    }
}
