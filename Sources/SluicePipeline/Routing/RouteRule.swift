package import SluicePolicy
internal import SluiceProviders

/// Takes some requests to another model, or to their model's targets in another order.
package struct RouteRule: Sendable {
    /// As the log has it.
    package let name: String
    package let condition: RouteCondition
    /// Answers in place of the model that was asked for.
    package let model: String?
    /// Providers whose targets come before the others, in this order.
    package let preferred: [String]
    /// In place of the targets' own, by provider.
    package let weights: [String: Int]

    package init(
        name: String, condition: RouteCondition, model: String? = nil, preferred: [String] = [],
        weights: [String: Int] = [:]
    ) {
        self.name = name
        self.condition = condition
        self.model = model
        self.preferred = preferred
        self.weights = weights
    }

    /// How much each target is preferred, 0 the most.
    func ranks(_ targets: [RouteTarget]) -> [Int]? {
        if preferred.isEmpty { return nil }
        return targets.map { preferred.firstIndex(of: $0.provider.name) ?? preferred.count }
    }

    func weights(_ targets: [RouteTarget]) -> [Int]? {
        if weights.isEmpty { return nil }
        return targets.map { weights[$0.provider.name] ?? $0.traits.weight }
    }
}
