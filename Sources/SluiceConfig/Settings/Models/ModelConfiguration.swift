package import SluicePolicy

/// A name that applications ask for, or a pattern of such names, and what answers it.
package struct ModelConfiguration: Sendable, Equatable {
    /// At most one `*` stands for any text.
    package var name: String
    /// 1 to 64.
    package var targets: [TargetConfiguration] = []
    /// Default weighted.
    package var strategy = BalancingStrategy.weighted
    /// What `affinity` goes by. Default: the user.
    package var affinity = AffinityKey.user
    /// Names of other models, in the order in which they stand in for this one.
    package var fallbacks: [String] = []
    /// Whether lists of models have it. Default true.
    package var isListed = true
    /// How streams of the model that broke off go on; `nil`: as it is said for all.
    package var rescue: RescuePolicy.Ways?
    /// Where it differs from what holds for all.
    package var timeouts = ModelTimeoutsConfiguration()

    package init(name: String, targets: [TargetConfiguration] = []) {
        self.name = name
        self.targets = targets
    }

    package var isPattern: Bool { name.utf8.contains(UInt8(ascii: "*")) }

    /// - Parameter providers: the names that `provider` may be.
    package static func read(_ section: ConfigSection, name: String, providers: [String]) -> Self {
        var model = Self(name: name)
        let single = readSingle(section, name, providers)
        let unsupported = section.optional(
            "unsupported", .choice(of: ServerConfiguration.Unsupported.self),
            doc:
                "What happens to a request that asks for more than the model can do. null: as `unsupported` says for all."
        )
        model.targets = section.list(
            "targets", count: 0...64, doc: "What answers for the model, where `provider` does not say it."
        ) { TargetConfiguration.read($0, model: name, providers: providers) }
        if let single {
            if !model.targets.isEmpty { section.mistake("targets", "`provider` or `targets`, found both") }
            model.targets = [single]
        } else if model.targets.isEmpty {
            if !section.has("provider") { section.mistake("required: `provider`, or `targets` with one at least") }
        }
        for index in model.targets.indices where model.targets[index].unsupported == nil {
            model.targets[index].unsupported = unsupported
        }
        model.readChoice(section)
        model.fallbacks = section.strings(
            "fallbacks", bytes: 1...256, count: 0...16,
            doc: "Other models that stand in for this one, in this order; then those that stand in for them.")
        model.isListed = section.boolean("listed", default: true, doc: "Whether lists of models have it.")
        model.rescue = StreamSettings.readWays(
            section, doc: "How answers of the model go on that broke off. null: as `streams.rescue` says for all.")
        model.timeouts = section.section(
            "timeouts", doc: "How long anything may take, where it differs from what holds for all.",
            ModelTimeoutsConfiguration.read)
        return model
    }

    /// The short form: one target, without a list.
    private static func readSingle(
        _ section: ConfigSection, _ name: String, _ providers: [String]
    ) -> TargetConfiguration? {
        let provider = section.optionalString(
            "provider", bytes: 1...64, doc: "The name of a provider, where there is only one target.")
        let upstreamModel = TargetConfiguration.readUpstreamModel(section, model: name)
        guard let provider else {
            if upstreamModel != name { section.mistake("upstream_model", "only beside `provider`") }
            return nil
        }
        checkProvider(provider, "provider", section, providers)
        return TargetConfiguration(provider: provider, upstreamModel: upstreamModel)
    }

    private mutating func readChoice(_ section: ConfigSection) {
        strategy = section.choice(
            "strategy", default: strategy,
            doc:
                "Which target is asked first: in turn by weight (`weighted`), the one with the fewest requests under way (`least_outstanding`), the better of two by latency and success (`fastest`), the cheapest that the request fits (`cheapest`), or always the same for the same caller (`affinity`)."
        )
        affinity = section.value(
            "affinity", .affinity, default: affinity,
            doc: "What `affinity` goes by. Requests without it are spread by weight.")
        for (index, target) in targets.enumerated()
        where targets[..<index].contains(where: { $0.provider == target.provider && $0.upstreamModel == target.upstreamModel }) {
            section.mistake("targets", "targets that differ, found \(target.provider)/\(target.upstreamModel) twice")
        }
        if strategy == .cheapest, targets.contains(where: { $0.price == nil }) {
            section.mistake("strategy", "`cheapest` needs the `price` of every target")
        }
        if affinity != .user, strategy != .affinity {
            section.mistake("affinity", "only with the strategy `affinity`")
        }
    }

    static func checkProvider(_ provider: String, _ key: String, _ section: ConfigSection, _ providers: [String]) {
        if providers.contains(provider) { return }
        section.mistake(key, unknownProvider(section.written(key), provider, providers))
    }

    static func unknownProvider(_ written: String, _ provider: String, _ providers: [String]) -> String {
        let question = Suggestion.nearest(to: provider, among: providers).map { ", did you mean \"\($0)\"?" } ?? ";"
        let known = providers.isEmpty ? "there are none" : providers.sorted().joined(separator: ", ")
        return "unknown provider \(written)\(question) providers: \(known)"
    }
}
