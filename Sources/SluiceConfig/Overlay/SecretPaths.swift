/// Which settings are secrets, by where they stand, as the code that reads them says.
package struct SecretPaths: Sendable {
    /// Paths with `*` for names and positions.
    private let patterns: [[String]]

    /// - Parameter reference: of the whole configuration.
    package init(_ reference: ConfigReference) {
        var patterns: [[String]] = []
        for section in reference.sections {
            for field in section.fields where field.isSecret || field.type.hasPrefix("secret") {
                patterns.append(Self.parts(section.path) + [field.key])
            }
        }
        self.patterns = patterns
    }

    private static func parts(_ path: String) -> [String] {
        var parts: [String] = []
        for part in path.split(separator: ".") {
            var name = String(part)
            let isList = name.hasSuffix("[]")
            if isList { name.removeLast(2) }
            parts.append(name == "<name>" ? "*" : name)
            if isList { parts.append("*") }
        }
        return parts
    }

    /// The document with `mask` in place of what every secret says, and of what stands where several secrets may.
    package func masking(_ document: ConfigValue, _ mask: (ConfigValue) -> ConfigValue) -> ConfigValue {
        walk(document, patterns[...], mask)
    }

    private func walk(
        _ value: ConfigValue, _ patterns: ArraySlice<[String]>, _ mask: (ConfigValue) -> ConfigValue
    ) -> ConfigValue {
        if patterns.isEmpty { return value }
        if patterns.contains(where: \.isEmpty) { return Self.maskAll(value, mask) }
        switch value.kind {
        case .object(let members):
            let changed = members.map { member in
                let rest = patterns.filter { $0[0] == "*" || $0[0] == member.key }.map { Array($0.dropFirst()) }
                return ConfigMember(member.key, walk(member.value, rest[...], mask), at: member.location)
            }
            // One entry alone may stand without a list around it.
            let single = patterns.filter { $0[0] == "*" }.map { Array($0.dropFirst()) }
            let masked = ConfigValue(.object(changed), at: value.location)
            return single.isEmpty ? masked : walk(masked, single[...], mask)
        case .list(let elements):
            let rest = patterns.filter { $0[0] == "*" }.map { Array($0.dropFirst()) }
            return ConfigValue(.list(elements.map { walk($0, rest[...], mask) }), at: value.location)
        default: return value
        }
    }

    private static func maskAll(_ value: ConfigValue, _ mask: (ConfigValue) -> ConfigValue) -> ConfigValue {
        value.mappingLeaves { _, leaf in leaf.kind == .null ? leaf : mask(leaf) }
    }
}
