internal import SluiceCore
package import SluicePolicy

/// What `concurrency.priorities` of a configuration says.
extension PriorityClasses {
    package static func read(_ section: ConfigSection) -> Self {
        let entries = section.list(
            "classes", count: 1...8, doc: "The classes, the most urgent first.", readClass)
        var classes = entries.map(\.0)
        for (rank, entry) in entries.enumerated() { classes[rank].inFlightPercent = entry.1 ?? usualPercent(rank) }
        var names: Set<String> = []
        for name in classes.map(\.name) where !names.insert(name).inserted {
            section.mistake("classes", "each name once, found \(ConfigPath.quoted(name)) again")
        }
        let usual = section.optional(
            "default", .identifier,
            doc: "The class of whoever no class names. null: the first that names nobody, or the last.")
        if let usual, !names.contains(usual) {
            section.mistake("default", "one of \(names.sorted().joined(separator: ", ")), found \(section.written("default"))")
        }
        let header = section.optionalString(
            "header", bytes: 1...64,
            doc:
                "The field by which a request names its class, as `x-sluice-priority`: the application's own word, which lifts nobody above the class that names them. null: none."
        )?.lowercased()
        if let header, !HeaderRules.names.isAllowed(header) {
            section.mistake("header", "\(HeaderRules.names.allowed), found \(section.written("header"))")
        }
        let place =
            classes.firstIndex { $0.name == usual } ?? classes.firstIndex { !$0.isByCaller } ?? classes.count - 1
        return Self(classes, usual: place, header: header)
    }

    /// Ten percent less room than the class above it, and never less than half of it all.
    private static func usualPercent(_ rank: Int) -> Int { max(50, 100 - 10 * rank) }

    private static func readClass(_ section: ConfigSection) -> (Class, percent: Int?) {
        let name = section.required("name", .identifier, doc: "What logs and the admin port call it.")
        func list(_ key: String, _ doc: String) -> [String] {
            section.strings(key, bytes: 1...128, count: 0...10_000, doc: doc)
        }
        var entry = Class(name: name)
        entry.users = Set(list("users", "Users that are of this class."))
        entry.roles = Set(list("roles", "Roles that are."))
        entry.teams = Set(list("teams", "Teams that are."))
        entry.businessLines = Set(list("business_lines", "Business lines that are."))
        let keys = list(
            "keys",
            "Credentials of applications that are: the first 16 hexadecimal digits of the SHA-256 of what they send as Authorization or x-api-key."
        ).map { $0.lowercased() }
        for key in keys where key.utf8.count != 16 || !key.utf8.allSatisfy({ $0.hexDigitValue != nil }) {
            section.mistake("keys", "16 hexadecimal digits each, found \(key.utf8.count == 16 ? "others" : "\(key.utf8.count) bytes")")
        }
        entry.keys = Set(keys)
        let percent = section.optional(
            "in_flight_percent", .integer(in: 1...100),
            doc:
                "Refused once so much of `limits.in_flight_max` is under way. null: 100 for the first class, and 10 less for each after it, down to 50."
        )
        return (entry, percent)
    }
}
