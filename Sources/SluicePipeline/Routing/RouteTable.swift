internal import SluiceConfig
internal import SluicePolicy
internal import SluiceProviders

/// What answers which name of a model, as far as the configuration says it. Shared by all workers.
package final class RouteTable: Sendable {
    /// By whole names.
    package let routes: [String: Route]
    /// By names without stars.
    let aliases: [String: String]
    let rules: [RouteRule]
    package let asksWhoCalls: Bool
    /// What targets are called by their providers.
    let upstreamModels: Set<String>
    private let builder: RouteBuilder

    /// - Parameters:
    ///   - models: by name; a `*` in a name stands for any text.
    ///   - aliases: may lead to other aliases, but not in a circle.
    init(
        models: [String: ConfigSnapshot.Model], aliases: [String: String], rules: [RouteRule],
        providers: [String: Provider], defaultProvider: Provider?, timeouts: TimeoutsConfiguration, states: TargetTable
    ) {
        self.rules = rules
        var resolved = aliases
        for (name, next) in aliases {
            var target = next
            for _ in 0..<aliases.count { target = aliases[target] ?? target }
            resolved[name] = target
        }
        self.aliases = resolved
        let patterns = models.map { (name: NamePattern($0.key), model: $0.value) }.filter(\.name.hasStar).sorted {
            ($1.name.literalByteCount, $0.name.text) < ($0.name.literalByteCount, $1.name.text)
        }
        asksWhoCalls =
            rules.contains { $0.condition.asksWhoCalls }
            || models.values.contains { $0.strategy == .affinity && $0.affinity.asksWhoCalls }
        builder = RouteBuilder(
            models: models, aliases: resolved, patterns: patterns, providers: providers,
            defaultProvider: defaultProvider, timeouts: timeouts, states: states)
        var routes: [String: Route] = [:]
        for (name, model) in models where !NamePattern(name).hasStar {
            routes[name] = builder.route(name, model, star: nil)
        }
        self.routes = routes
        upstreamModels = Set(routes.values.flatMap(\.targets).map(\.upstreamModel))
    }

    /// Whether the configuration has a name, or a pattern that matches it.
    func isConfigured(_ name: String) -> Bool {
        routes[name] != nil || builder.patterns.contains { $0.name.matches(name) }
    }

    /// The route of a name that a pattern matches, made for this one name.
    ///
    /// - Parameter isOpen: whether the pattern is the one that takes everything, or one that does not.
    func patternRoute(for name: String, isOpen: Bool) -> Route? {
        for pattern in builder.patterns where (pattern.name.literalByteCount == 0) == isOpen {
            if let star = pattern.name.rest(of: name) { return builder.route(pattern.name.text, pattern.model, star: star) }
        }
        return nil
    }

    /// The route of a model that the configuration does not name, at a provider that is known to have it.
    func direct(_ provider: Provider, _ upstreamModel: String, name: String) -> Route {
        Route(name: name, builder.direct(provider, upstreamModel))
    }

    // MARK: Lists

    /// The names that lists of models have, and who answers them first.
    package var listed: [(name: String, owner: String)] {
        var entries: [(name: String, owner: String)] = []
        for (name, route) in routes where builder.models[name]?.isListed == true {
            entries.append((name, route.targets[0].provider.name))
        }
        for (alias, name) in aliases where builder.models[name]?.isListed != false {
            if let owner = owner(of: name) { entries.append((alias, owner)) }
        }
        return entries.sorted { $0.name < $1.name }
    }

    private func owner(of name: String) -> String? {
        builder.stand(for: name).first?.targets.first?.provider.name
    }

    /// Names that somebody may have meant.
    var suggestions: [String] {
        Array(listed.map(\.name).prefix(Self.suggestionsMax))
            + builder.providers.values.sorted { $0.name < $1.name }.flatMap(\.models).prefix(Self.suggestionsMax)
    }
    /// Comparing names costs time, and callers choose how often.
    private static let suggestionsMax = 256
}
