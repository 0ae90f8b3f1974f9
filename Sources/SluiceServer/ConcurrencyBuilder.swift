internal import SluiceConfig
internal import SluiceCore
internal import SluicePipeline
internal import SluicePolicy

/// What the configuration says of limits on concurrency, as the workers use it.
enum ConcurrencyBuilder {
    static func policy(_ configuration: ConcurrencyConfiguration?, _ lasting: LastingState) -> ConcurrencyPolicy? {
        guard let configuration else { return nil }
        var settings: [GateID: ConcurrencyGate.Settings] = [:]
        func add(_ kind: GateID.Kind, _ gates: [ConcurrencyConfiguration.Gate]) {
            for gate in gates {
                settings[GateID(kind, gate.name)] = ConcurrencyGate.Settings(
                    limit: gate.concurrencyMax, queueMax: gate.queueMax ?? configuration.queueMax,
                    patience: gate.patience ?? configuration.patience, aging: configuration.aging)
            }
        }
        add(.model, configuration.models)
        add(.provider, configuration.providers)
        return ConcurrencyPolicy(
            settings: settings, priorities: configuration.priorities.map(priorities) ?? PriorityClasses(),
            shedStatus: UInt16(configuration.shedStatus), in: lasting.gates)
    }

    private static func priorities(_ configuration: PrioritiesConfiguration) -> PriorityClasses {
        let classes = configuration.classes.enumerated().map { rank, entry in
            var made = PriorityClasses.Class(name: entry.name, inFlightPercent: entry.inFlightPercent(rank: rank))
            made.users = Set(entry.users)
            made.roles = Set(entry.roles)
            made.teams = Set(entry.teams)
            made.businessLines = Set(entry.businessLines)
            made.keys = Set(entry.keys)
            return made
        }
        let usual =
            classes.firstIndex { $0.name == configuration.usual } ?? classes.firstIndex { !$0.isByCaller }
            ?? classes.count - 1
        return PriorityClasses(classes, usual: usual, header: configuration.header)
    }
}
