internal import SluiceConfig
internal import SluicePolicy
internal import SluiceProviders

/// Makes routes of what the configuration says of models.
struct RouteBuilder: Sendable {
    let models: [String: ConfigSnapshot.Model]
    let aliases: [String: String]
    /// The most specific first.
    let patterns: [(name: NamePattern, model: ConfigSnapshot.Model)]
    let providers: [String: Provider]
    let defaultProvider: Provider?
    let timeouts: TimeoutsConfiguration
    let states: TargetTable

    /// - Parameters:
    ///   - name: as the configuration calls the model.
    ///   - star: what the star of the name stands for, if it has one.
    func route(_ name: String, _ model: ConfigSnapshot.Model, star: String?) -> Route {
        var taken: Set<ObjectIdentifier> = []
        var stages = unique(stages(name, model, star), &taken)
        // Those that stand in for the model, in its order; then those that stand in for them.
        var waiting = model.fallbacks[...]
        var seen: Set<String> = [name]
        while let next = waiting.popFirst() {
            let next = aliases[next] ?? next
            guard seen.insert(next).inserted else { continue }
            stages += unique(stand(for: next), &taken)
            waiting += (models[next] ?? pattern(for: next)?.model)?.fallbacks ?? []
        }
        return Route(
            name: name, model: name, stages: stages, timeouts: model.timeouts.applied(to: timeouts),
            rescue: model.rescue)
    }

    /// Without targets that are there already, or are too many.
    private func unique(_ stages: [Route.Stage], _ taken: inout Set<ObjectIdentifier>) -> [Route.Stage] {
        stages.compactMap { stage in
            let targets = stage.targets.filter {
                taken.count < Route.targetsMax && taken.insert(ObjectIdentifier($0.state)).inserted
            }
            return self.stage(targets, stage.group.strategy, stage.affinity)
        }
    }

    /// What a name stands for that is not asked for itself: the targets of a model, or one of a provider.
    func stand(for name: String) -> [Route.Stage] {
        if let model = models[name] { return stages(name, model, nil) }
        if let (pattern, model) = pattern(for: name) { return stages(pattern.text, model, pattern.rest(of: name)) }
        var target: RouteTarget?
        if let slash = name.utf8.firstIndex(of: UInt8(ascii: "/")), let provider = providers[String(name[..<slash])] {
            target = direct(provider, String(name[name.index(after: slash)...]))
        } else {
            let owner = providers.values.sorted { $0.name < $1.name }.first { $0.knows(model: name) }
            target = (owner ?? defaultProvider).map { direct($0, name) }
        }
        return target.flatMap { stage([$0], .weighted, nil) }.map { [$0] } ?? []
    }

    private func pattern(for name: String) -> (name: NamePattern, model: ConfigSnapshot.Model)? {
        patterns.first { $0.name.matches(name) }
    }

    func direct(_ provider: Provider, _ upstreamModel: String) -> RouteTarget {
        let id = TargetID(provider: provider.name, model: upstreamModel)
        return RouteTarget(
            provider: provider, upstreamModel: upstreamModel, state: states.state(of: id), timeouts: timeouts)
    }

    // MARK: One model

    /// The targets of one model, by priority.
    private func stages(_ name: String, _ model: ConfigSnapshot.Model, _ star: String?) -> [Route.Stage] {
        let timeouts = model.timeouts.applied(to: timeouts)
        let priorities = Set(model.targets.map(\.priority)).sorted()
        let affinity = model.strategy == .affinity ? model.affinity : nil
        return priorities.compactMap { priority in
            let targets = model.targets.filter { $0.priority == priority }.map {
                target($0, of: name, star, timeouts)
            }
            return stage(targets, model.strategy, affinity)
        }
    }

    private func stage(_ targets: [RouteTarget], _ strategy: BalancingStrategy, _ affinity: AffinityKey?) -> Route.Stage? {
        if targets.isEmpty { return nil }
        let members = targets.map { TargetGroup.Member($0.state, $0.traits) }
        return Route.Stage(group: TargetGroup(members, strategy), targets: targets, affinity: affinity)
    }

    private func target(
        _ target: ConfigSnapshot.Target, of model: String, _ star: String?, _ timeouts: TimeoutsConfiguration
    ) -> RouteTarget {
        let upstreamModel = star.map { NamePattern(target.upstreamModel).filled(with: $0) } ?? target.upstreamModel
        var capabilities: Capabilities?
        if let rules = target.capabilities {
            var row = target.provider.adaptation.capabilities.row(for: upstreamModel)
            row.apply(rules)
            capabilities = row
        }
        return RouteTarget(
            model: model, provider: target.provider, upstreamModel: upstreamModel, unsupported: target.unsupported,
            state: states.state(
                of: TargetID(provider: target.provider.name, model: upstreamModel), isConfigured: star == nil),
            traits: target.traits, capabilities: capabilities, timeouts: timeouts)
    }
}
