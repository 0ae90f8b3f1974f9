package import SluicePolicy
package import SluiceProviders

/// One target as a route sees it.
package struct RouteTarget: Sendable {
    package let provider: Provider
    /// As the provider spells it.
    package let upstreamModel: String
    /// What happens to a request that asks for more than the model can do; `nil`: as it is said for all.
    package let unsupported: FieldReport.Mode?
    package let state: TargetState

    package init(
        provider: Provider, upstreamModel: String, unsupported: FieldReport.Mode? = nil, state: TargetState
    ) {
        self.provider = provider
        self.upstreamModel = upstreamModel
        self.unsupported = unsupported
        self.state = state
    }
}

/// Who may answer a request, in the order in which they are asked.
package struct RoutePlan: Sendable {
    package var targets: [RouteTarget] = []
    /// Which of them is asked now.
    package var position = 0
    /// What may be done about a stream of the model; `nil`: as it is said for all.
    package var rescue: RescuePolicy?

    package init() {}

    package var current: RouteTarget? { position < targets.count ? targets[position] : nil }
}
