/// How many requests may be at a model or a provider at one time, and who goes first when there are more.
package struct ConcurrencyConfiguration: Sendable, Equatable {
    /// One model or provider.
    package struct Gate: Sendable, Equatable {
        package var name: String
        /// Requests at one time, 1 to 1000000.
        package var concurrencyMax: Int
        /// How many more may wait, 0 to 100000; `nil`: as it is said for all.
        package var queueMax: Int?
        /// How long one may wait, 10 ms to 10 min; `nil`: as it is said for all.
        package var patience: Duration?
    }

    /// By the name that applications ask for.
    package var models: [Gate] = []
    package var providers: [Gate] = []
    /// How many may wait at one gate, 0 to 100000.
    package var queueMax = 100
    /// How long a request may wait, 10 ms to 10 min.
    package var patience = Duration.seconds(10)
    /// A class waits as if it had come so much later than the one above it, 0 to 10 min.
    package var aging = Duration.seconds(2)
    /// What a request is answered with that finds no place: 429 or 503.
    package var shedStatus = 503
    package var priorities: PrioritiesConfiguration?

    package init() {}

    /// - Parameter providers: the names that there are.
    package static func read(_ section: ConfigSection, providers: [String]) -> Self {
        var concurrency = Self()
        concurrency.models = section.dictionary(
            "models", names: .modelPattern, doc: "Models with a limit, by the name that applications ask for."
        ) { name, section in readGate(section, name) }
        concurrency.providers = section.dictionary(
            "providers", names: .identifier, doc: "Providers with a limit: a slow one holds no more of Sluice than that."
        ) { name, section in
            if !section.isDescribing, !providers.contains(name) {
                section.mistake(Self.unknown(name, providers))
            }
            return readGate(section, name)
        }
        concurrency.queueMax = section.integer(
            "queue_max", default: concurrency.queueMax, in: 0...100_000,
            doc: "Requests that may wait at each of them. More are shed, the lowest class first. 0: nobody waits.")
        concurrency.patience = section.duration(
            "queue_ms", default: concurrency.patience, in: 10...600_000, doc: "How long a request may wait.")
        concurrency.aging = section.duration(
            "aging_ms", default: concurrency.aging, in: 0...600_000,
            doc:
                "A class waits as if it had come so much later than the one above it: whoever waits longer than that is not overtaken any more. 0: as they come."
        )
        concurrency.shedStatus = section.value(
            "shed_status", .integer(among: [429, 503]), default: concurrency.shedStatus,
            doc: "The status for those who find no place or wait for too long; both come with Retry-After.")
        concurrency.priorities = section.optionalSection(
            "priorities", doc: "Who goes before whom. null: as they come.", PrioritiesConfiguration.read)
        return concurrency
    }

    private static func readGate(_ section: ConfigSection, _ name: String) -> Gate {
        let most = section.required("max_concurrency", .integer(in: 1...1_000_000), doc: "Requests at one time.")
        let queueMax = section.optional(
            "queue_max", .integer(in: 0...100_000), doc: "Requests that may wait. null: as it is said for all.")
        let patience = section.optional(
            "queue_ms", .milliseconds(in: 10...600_000), doc: "How long one may wait. null: as it is said for all.")
        return Gate(name: name, concurrencyMax: most, queueMax: queueMax, patience: patience)
    }

    private static func unknown(_ name: String, _ providers: [String]) -> String {
        let question = Suggestion.nearest(to: name, among: providers).map { ", did you mean \"\($0)\"?" } ?? ";"
        let known = providers.isEmpty ? "there are none" : providers.sorted().joined(separator: ", ")
        return "unknown provider \(ConfigPath.quoted(name))\(question) providers: \(known)"
    }
}
