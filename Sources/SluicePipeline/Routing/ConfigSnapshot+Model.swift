package import SluiceConfig
package import SluicePolicy
package import SluiceProviders

extension ConfigSnapshot {
    /// When the head of a reply says who gave it.
    package enum TargetDisplay: Sendable { case always, never, whereChosen }

    /// A model that the configuration names, as it is written there. What answers it is a `Route`.
    package struct Model: Sendable {
        /// At least one.
        package var targets: [Target]
        package var strategy = BalancingStrategy.weighted
        package var affinity = AffinityKey.user
        package var fallbacks: [String] = []
        package var isListed = true
        package var timeouts = ModelTimeoutsConfiguration()
        /// What may be done about a stream that broke off; `nil`: as for all.
        package var rescue: RescuePolicy?

        package init(_ targets: [Target]) { self.targets = targets }

        /// One target.
        package init(provider: Provider, upstreamModel: String, unsupported: FieldReport.Mode? = nil) {
            var target = Target(provider: provider, upstreamModel: upstreamModel)
            target.unsupported = unsupported
            self.init([target])
        }
    }

    package struct Target: Sendable {
        package var provider: Provider
        /// As the provider spells it; a `*` is what the star of the model's name stood for.
        package var upstreamModel: String
        /// Smaller ones are asked first.
        package var priority = 0
        /// Its abilities are found out from the capabilities.
        package var traits = TargetTraits()
        /// Where they differ from the provider's.
        package var capabilities: CapabilityRules?
        package var unsupported: FieldReport.Mode?

        package init(provider: Provider, upstreamModel: String) {
            self.provider = provider
            self.upstreamModel = upstreamModel
        }
    }
}
