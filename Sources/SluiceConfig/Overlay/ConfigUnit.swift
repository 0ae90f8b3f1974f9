/// The smallest part of a configuration that has one owner, the file or the management API: a whole section, or one entry of a
/// section whose entries have names.
package struct ConfigUnit: Sendable, Hashable, Comparable {
    /// The section: `timeouts`, `models`, `access.keys`.
    package let section: String
    /// The entry; `nil` for a section that is owned as a whole.
    package let name: String?

    package init(section: String, name: String? = nil) {
        self.section = section
        self.name = name
    }

    /// Sections whose entries have owners of their own, in objects by name.
    package static let dictionaries = [
        "providers", "models", "aliases", "access.roles", "access.users", "access.keys",
    ]
    /// The same in lists whose entries have a `name`.
    package static let lists = ["rate_limits", "budgets"]
    package var isEntry: Bool { name != nil }
    package static func isCollection(_ section: String) -> Bool { dictionaries.contains(section) || lists.contains(section) }

    /// As it stands in the store: `models/gpt-5`, `timeouts`.
    package var key: String { name.map { "\(section)/\($0)" } ?? section }

    package init?(key: String) {
        guard let slash = key.firstIndex(of: "/") else {
            if key.isEmpty || Self.isCollection(key) { return nil }
            self.init(section: key)
            return
        }
        let section = String(key[..<slash])
        let name = String(key[key.index(after: slash)...])
        if name.isEmpty || !Self.isCollection(section) { return nil }
        self.init(section: section, name: name)
    }

    /// Where it stands in a configuration, for messages.
    package var path: String {
        let parts = section.split(separator: ".").reduce("") { ConfigPath.child(of: $0, String($1)) }
        return name.map { ConfigPath.child(of: parts, $0) } ?? parts
    }

    package static func < (a: ConfigUnit, b: ConfigUnit) -> Bool { (a.section, a.name ?? "") < (b.section, b.name ?? "") }
}

/// Units and what they say.
package typealias ConfigUnits = [ConfigUnit: ConfigValue]
