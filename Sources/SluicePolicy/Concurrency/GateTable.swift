internal import Synchronization

/// The gates by name. They outlive a configuration: what is under way counts for the next one too.
package final class GateTable: Sendable {
    private let gates = Mutex<[GateID: ConcurrencyGate]>([:])

    package init() {}

    /// The gate of that name; a new one lets everybody in until a configuration that names it is adopted.
    package func gate(_ id: GateID) -> ConcurrencyGate {
        gates.withLock { gates in
            if let gate = gates[id] { return gate }
            let gate = ConcurrencyGate(id)
            gates[id] = gate
            return gate
        }
    }

    /// Puts a configuration in force: a gate that it does not name lets everybody in, and goes when nobody is in it.
    package func adopt(_ policy: ConcurrencyPolicy?) {
        let settings = policy?.settings ?? [:]
        for id in settings.keys { _ = gate(id) }
        for (id, gate) in gates.withLock({ $0 }) { gate.adopt(settings[id] ?? .open) }
        gates.withLock { gates in
            gates = gates.filter { settings[$0.key] != nil || $0.value.inUse > 0 || $0.value.waiting > 0 }
        }
    }

    /// By kind and name.
    package var snapshots: [GateSnapshot] {
        gates.withLock { Array($0.values) }.map(\.snapshot).sorted {
            ($0.id.kind.rawValue, $0.id.name) < ($1.id.kind.rawValue, $1.id.name)
        }
    }
}
