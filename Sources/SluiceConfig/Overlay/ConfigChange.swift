/// What is different between two configurations, setting by setting.
package struct ConfigChange: Sendable, Equatable {
    /// Where; of an entry of a list with names, the name stands in place of the number.
    package var path: String
    /// `nil`: it was not there.
    package var before: ConfigValue?
    /// `nil`: it is not there any more.
    package var after: ConfigValue?

    /// How many are listed; a change may be of any size.
    package static let countMax = 1000

    package static func between(_ before: ConfigUnits, _ after: ConfigUnits) -> [ConfigChange] {
        var differences: [ConfigChange] = []
        for unit in Set(before.keys).union(after.keys).sorted() where before[unit] != after[unit] {
            compare(before[unit], after[unit], unit.path, &differences)
            if differences.count >= countMax { break }
        }
        return Array(differences.prefix(countMax))
    }

    private static func compare(
        _ before: ConfigValue?, _ after: ConfigValue?, _ path: String, _ differences: inout [ConfigChange]
    ) {
        if before == after { return }
        if let before, let after, case .object(let old) = before.kind, case .object(let new) = after.kind {
            let keys = old.map(\.key) + new.map(\.key).filter { before[$0] == nil }
            for key in keys { compare(before[key], after[key], ConfigPath.child(of: path, key), &differences) }
            return
        }
        differences.append(ConfigChange(path: path, before: before, after: after))
    }
}
