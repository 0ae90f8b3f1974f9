package import SluiceConfig
package import SluicePolicy

/// What answers a model: its own targets, by priority, and those of the models that stand in for it.
package final class Route: Sendable {
    /// Targets of equal rank.
    struct Stage: Sendable {
        let group: TargetGroup
        /// In the order of the group's members.
        let targets: [RouteTarget]
        let affinity: AffinityKey?
    }

    /// As the configuration calls the model, which is a pattern for many; what was asked for where it has none.
    package let name: String
    /// The same, and empty where the configuration has none.
    let model: String
    let stages: [Stage]
    /// All of them, none twice, as they are configured.
    package let targets: [RouteTarget]
    /// What holds for the exchange as a whole, whoever answers.
    package let timeouts: TimeoutsConfiguration
    /// What may be done about a stream of the model that broke off; `nil`: as it is said for all.
    package let rescue: RescuePolicy?
    /// Whether the targets differ in what they can do, or one is chosen for the price: the request has to be looked at then.
    let asksNeeds: Bool
    let isAddressable: Bool

    /// More than these are not asked for one model.
    static let targetsMax = 64

    /// The strategy of the model's own targets.
    package var strategy: BalancingStrategy { stages[0].group.strategy }

    /// - Parameter stages: at least one, and at most `targetsMax` targets in all of them.
    init(name: String, model: String, stages: [Stage], timeouts: TimeoutsConfiguration, rescue: RescuePolicy? = nil) {
        self.name = name
        self.model = model
        self.stages = stages
        self.timeouts = timeouts
        self.rescue = rescue
        targets = stages.flatMap(\.targets)
        let first = targets[0].traits
        let differ = targets.contains {
            $0.traits.abilities != first.abilities || $0.traits.contextTokensMax != first.contextTokensMax
        }
        asksNeeds = differ || stages.contains { $0.group.strategy == .cheapest && $0.targets.count > 1 }
        isAddressable = targets.allSatisfy(\.isAddressable)
    }

    /// One target, for a model that the configuration does not name.
    convenience init(name: String, _ target: RouteTarget) {
        let group = TargetGroup([TargetGroup.Member(target.state, target.traits)], .weighted)
        self.init(
            name: name, model: "", stages: [Stage(group: group, targets: [target], affinity: nil)],
            timeouts: target.timeouts)
    }
}
