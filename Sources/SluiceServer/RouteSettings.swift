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
            model.strategy = BalancingStrategy(rawValue: configured.strategy.rawValue) ?? .weighted
            model.affinity = affinity(configured.affinity)
            model.fallbacks = configured.fallbacks
            model.isListed = configured.isListed
            model.timeouts.connect = configured.timeouts.connect
            model.timeouts.firstByte = configured.timeouts.firstByte
            model.timeouts.firstToken = configured.timeouts.firstToken
            model.timeouts.streamIdle = configured.timeouts.streamIdle
            model.timeouts.total = configured.timeouts.total
            model.rescue = configured.rescue.map { StreamsBuilder.policy($0, rescue) }
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
        target.traits.price = configured.price.map { price in
            TargetPrice(
                inputMicros: price.inputMicros, outputMicros: price.outputMicros,
                cachedInputMicros: price.cachedInputMicros)
        }
        target.capabilities = configured.capabilities
        target.unsupported = configured.unsupported.map(SnapshotBuilder.mode)
        return target
    }

    private static func affinity(_ configured: AffinityConfiguration) -> AffinityKey {
        switch configured {
        case .user: .user
        case .team: .team
        case .businessLine: .businessLine
        case .key: .key
        case .address: .address
        case .header(let name): .header(name)
        }
    }

    static func aliases(_ aliases: [Named<String>]) -> [String: String] {
        Dictionary(aliases.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    static func rules(_ routes: [RouteConfiguration]) -> [RouteRule] {
        routes.map { route in
            RouteRule(
                name: route.name, condition: condition(route.condition), model: route.model,
                preferred: route.preferred,
                weights: Dictionary(route.weights.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first }))
        }
    }

    private static func condition(_ configured: RouteConditionConfiguration) -> RouteCondition {
        var condition = RouteCondition()
        condition.models = configured.models.map { NamePattern($0) }
        condition.users = configured.users.map { NamePattern($0) }
        condition.roles = configured.roles.map { NamePattern($0) }
        condition.teams = configured.teams.map { NamePattern($0) }
        condition.businessLines = configured.businessLines.map { NamePattern($0) }
        condition.scenes = configured.scenes.map { NamePattern($0) }
        condition.headers = configured.headers.map { header in
            RouteCondition.Header(name: header.name, values: header.values.map { NamePattern($0) })
        }
        if configured.bodyByteCountMin != nil || configured.bodyByteCountMax != nil {
            let least = configured.bodyByteCountMin ?? 0
            condition.bodyBytes = least...max(least, configured.bodyByteCountMax ?? .max)
        }
        condition.isStream = configured.isStream
        return condition
    }

    static func display(_ configured: ServerConfiguration.ReplyHeaders) -> ConfigSnapshot.TargetDisplay {
        switch configured {
        case .auto: .whereChosen
        case .always: .always
        case .never: .never
        }
    }
}
