package import SluiceConfig
internal import SluiceHTTP
package import SluicePolicy
package import SluiceProviders

/// One target as a route sees it. Made once, and shared by all requests that go there.
package final class RouteTarget: Sendable {
    /// The configured model that it belongs to: another one than was asked for, where it stands in. Empty for none.
    package let model: String
    package let provider: Provider
    /// As the provider spells it.
    package let upstreamModel: String
    /// What happens to a request that asks for more than the model can do; `nil`: as it is said for all.
    package let unsupported: FieldReport.Mode?
    package let state: TargetState
    package let traits: TargetTraits
    /// What the model can do.
    package let capabilities: Capabilities
    /// Whether the configuration says it of the target itself.
    package let overridesCapabilities: Bool
    package let timeouts: TimeoutsConfiguration
    /// Some providers have the model in the path: whether the name leads nowhere else there.
    let isAddressable: Bool

    package init(
        model: String = "", provider: Provider, upstreamModel: String, unsupported: FieldReport.Mode? = nil,
        state: TargetState, traits: TargetTraits = TargetTraits(), capabilities: Capabilities? = nil,
        timeouts: TimeoutsConfiguration = TimeoutsConfiguration()
    ) {
        self.model = model
        self.provider = provider
        self.upstreamModel = upstreamModel
        self.unsupported = unsupported
        self.state = state
        overridesCapabilities = capabilities != nil
        var capabilities = capabilities ?? provider.adaptation.capabilities.row(for: upstreamModel)
        var traits = traits
        traits.contextTokensMax = traits.contextTokensMax ?? capabilities.contextTokensMax
        traits.abilities = Abilities(capabilities)
        self.traits = traits
        capabilities.contextTokensMax = traits.contextTokensMax
        self.capabilities = capabilities
        self.timeouts = timeouts
        isAddressable = RequestTarget.isSegment(upstreamModel.utf8Span.span)
    }
}

extension Abilities {
    init(_ capabilities: Capabilities) {
        self = []
        if capabilities.tools { insert(.tools) }
        if capabilities.tools, capabilities.forcedTools { insert(.forcedTools) }
        if capabilities.images { insert(.images) }
        if capabilities.audio { insert(.audio) }
        if capabilities.files { insert(.files) }
        if capabilities.jsonObject { insert(.jsonObject) }
        if capabilities.jsonSchema { insert(.jsonSchema) }
    }
}
