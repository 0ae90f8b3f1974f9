internal import SluiceConfig

/// What the fleet asks of the center.
extension ControlCenter {
    /// The revision that a unit was last changed by; `nil` if there is no such unit.
    func revision(of unit: ConfigUnit) async -> Int? {
        if !unit.isKey { return state.unitRevisions[unit] }
        guard let store else { return nil }
        return try? await clerk.run { (try? store.unit(unit))?.revision }
    }

    /// Everything that is kept; `nil` if it cannot be read.
    func rows() async -> [ControlChannel.Row]? {
        let units = state.units.map {
            ControlChannel.Row(unit: $0.key, revision: state.unitRevisions[$0.key] ?? 0, value: $0.value)
        }
        guard let store else { return units }
        let keys = try? await clerk.run { () -> [ControlChannel.Row]? in
            var rows: [ControlChannel.Row] = []
            do {
                try store.forEachKey { id, revision, value in rows.append((.key(id), revision, value)) }
                return rows
            } catch {
                return nil
            }
        }
        return keys.flatMap { $0 }.map { units + $0 }
    }

    /// Keeps the mark beside what it is of.
    func keep(_ mark: ControlMark) async {
        guard let store else { return }
        let text = mark.text
        _ = try? await clerk.run { try? store.setNote(ControlMark.note, text) }
    }
}
