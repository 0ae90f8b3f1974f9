/// How many may ask a model or a provider at one time, and who goes first.
package final class ConcurrencyPolicy: Sendable {
    /// By the name that applications ask for.
    package let models: [String: ConcurrencyGate]
    package let providers: [String: ConcurrencyGate]
    package let priorities: PriorityClasses
    /// What somebody is told for whom there is no place: 503 or 429.
    package let shedStatus: UInt16
    package let settings: [GateID: ConcurrencyGate.Settings]

    /// - Parameter table: where the gates are; their settings change when the table adopts the policy.
    package init(
        settings: [GateID: ConcurrencyGate.Settings], priorities: PriorityClasses = PriorityClasses(),
        shedStatus: UInt16 = 503,
        in table: GateTable
    ) {
        self.settings = settings
        self.priorities = priorities
        self.shedStatus = shedStatus
        var gates: [GateID.Kind: [String: ConcurrencyGate]] = [:]
        for id in settings.keys { gates[id.kind, default: [:]][id.name] = table.gate(id) }
        models = gates[.model] ?? [:]
        providers = gates[.provider] ?? [:]
    }
}
