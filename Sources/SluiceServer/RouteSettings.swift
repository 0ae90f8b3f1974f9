internal import SluiceConfig
internal import SluicePipeline
internal import SluicePolicy
internal import SluiceProviders

/// Turns what a configuration says of models, names and rules into what routing works with.
enum RouteSettings {
    static func models(
        _ models: [ModelConfiguration], _ providers: [String: Provider], rescue: RescuePolicy
    ) -> [String: ConfigSnapshot.Model] {
        var result: [String: ConfigSnapshot.Model] = [:]
        for configured in models {
            let targets = configured.targets.compactMap { target($0, providers) }
            if targets.isEmpty { continue }
            var model = ConfigSnapshot.Model(targets)
            model.strategy = configured.strategy
            model.affinity = configured.affinity
            model.fallbacks = configured.fallbacks
            model.isListed = configured.isListed
            model.timeouts = configured.timeouts
            model.rescue = configured.rescue.map(rescue.allowing)
            result[configured.name] = model
        }
        return result
    }

    private static func target(
        _ configured: TargetConfiguration, _ providers: [String: Provider]
    ) -> ConfigSnapshot.Target? {
        guard let provider = providers[configured.provider] else { return nil }
        var target = ConfigSnapshot.Target(provider: provider, upstreamModel: configured.upstreamModel)
        target.priority = configured.priority
        target.traits.weight = configured.weight
        target.traits.contextTokensMax = configured.contextTokensMax
        target.traits.price = configured.price
        target.capabilities = configured.capabilities
        target.unsupported = configured.unsupported.map(SnapshotBuilder.mode)
        return target
    }

    static func aliases(_ aliases: [Named<String>]) -> [String: String] {
        Dictionary(aliases.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    static func display(_ configured: ServerConfiguration.ReplyHeaders) -> ConfigSnapshot.TargetDisplay {
        switch configured {
        case .auto: .whereChosen
        case .always: .always
        case .never: .never
        }
    }
}
