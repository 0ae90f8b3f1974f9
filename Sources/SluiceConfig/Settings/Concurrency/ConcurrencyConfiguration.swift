package import SluicePolicy

/// How many requests may be at a model or a provider at one time, and who goes first when there are more.
package struct ConcurrencyConfiguration: Sendable, Equatable {
    /// Models by the name that applications ask for.
    package var gates: [GateID: ConcurrencyGate.Settings] = [:]
    package var priorities = PriorityClasses()
    /// What a request is answered with that finds no place: 429 or 503.
    package var shedStatus: UInt16 = 503

    package init() {}

    /// - Parameter providers: the names that there are.
    package static func read(_ section: ConfigSection, providers: [String]) -> Self {
        var concurrency = Self()
        let models = section.dictionary(
            "models", names: .modelPattern, doc: "Models with a limit, by the name that applications ask for."
        ) { name, section in readGate(section, GateID(.model, name)) }
        let limited = section.dictionary(
            "providers", names: .identifier, doc: "Providers with a limit: a slow one holds no more of Sluice than that."
        ) { name, section in
            if !section.isDescribing, !providers.contains(name) {
                section.mistake(Self.unknown(name, providers))
            }
            return readGate(section, GateID(.provider, name))
        }
        let queueMax = section.integer(
            "queue_max", default: 100, in: 0...100_000,
            doc: "Requests that may wait at each of them. More are shed, the lowest class first. 0: nobody waits.")
        let patience = section.duration(
            "queue_ms", default: .seconds(10), in: 10...600_000, doc: "How long a request may wait.")
        let aging = section.duration(
            "aging_ms", default: .seconds(2), in: 0...600_000,
            doc:
                "A class waits as if it had come so much later than the one above it: whoever waits longer than that is not overtaken any more. 0: as they come."
        )
        for gate in models + limited {
            concurrency.gates[gate.id] = ConcurrencyGate.Settings(
                limit: gate.limit, queueMax: gate.queueMax ?? queueMax, patience: gate.patience ?? patience, aging: aging)
        }
        let status = section.value(
            "shed_status", .integer(among: [429, 503]), default: Int(concurrency.shedStatus),
            doc: "The status for those who find no place or wait for too long; both come with Retry-After.")
        concurrency.shedStatus = UInt16(status)
        let priorities = section.optionalSection(
            "priorities", doc: "Who goes before whom. null: as they come.", PriorityClasses.read)
        concurrency.priorities = priorities ?? PriorityClasses()
        return concurrency
    }

    /// As it is written; what is `nil` is as it is said for all.
    private struct Gate {
        let id: GateID
        let limit: Int
        let queueMax: Int?
        let patience: Duration?
    }

    private static func readGate(_ section: ConfigSection, _ id: GateID) -> Gate {
        let most = section.required("max_concurrency", .integer(in: 1...1_000_000), doc: "Requests at one time.")
        let queueMax = section.optional(
            "queue_max", .integer(in: 0...100_000), doc: "Requests that may wait. null: as it is said for all.")
        let patience = section.optional(
            "queue_ms", .milliseconds(in: 10...600_000), doc: "How long one may wait. null: as it is said for all.")
        return Gate(id: id, limit: most, queueMax: queueMax, patience: patience)
    }

    private static func unknown(_ name: String, _ providers: [String]) -> String {
        let question = Suggestion.nearest(to: name, among: providers).map { ", did you mean \"\($0)\"?" } ?? ";"
        let known = providers.isEmpty ? "there are none" : providers.sorted().joined(separator: ", ")
        return "unknown provider \(ConfigPath.quoted(name))\(question) providers: \(known)"
    }
}
