internal import SluicePolicy
internal import SluiceProviders

extension RouteRule {
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
