/// Which settings two configuration texts say differently: names alone, as values may be secret.
package enum ChangedSettings {
    /// The most names that are told.
    package static let namesMax = 100

    /// The settings that were added, removed or changed, in the order of the texts; after `namesMax` of them, how many more.
    package static func names(from old: ConfigValue, to new: ConfigValue) -> [String] {
        var names: [String] = []
        compare(old, new, "", &names)
        if names.count <= namesMax { return names }
        return names.prefix(namesMax) + ["and \(names.count - namesMax) more"]
    }

    /// Depth is bounded by the parser.
    private static func compare(_ old: ConfigValue, _ new: ConfigValue, _ path: String, _ names: inout [String]) {
        if old == new { return }
        switch (old.kind, new.kind) {
        case (.object(let before), .object(let after)):
            for member in before where new[member.key] == nil { names.append(ConfigPath.child(of: path, member.key)) }
            for member in after {
                let place = ConfigPath.child(of: path, member.key)
                if let value = old[member.key] { compare(value, member.value, place, &names) } else { names.append(place) }
            }
        case (.list(let before), .list(let after)) where before.count == after.count:
            for index in before.indices {
                compare(before[index], after[index], ConfigPath.element(of: path, index), &names)
            }
        default: names.append(path.isEmpty ? "everything" : path)
        }
    }
}
