internal import SluiceCore

/// Who goes before whom where requests have to wait, and who is refused first when the process is short of room.
package struct PrioritiesConfiguration: Sendable, Equatable {
    package struct Class: Sendable, Equatable {
        package var name: String
        package var users: [String] = []
        package var roles: [String] = []
        package var teams: [String] = []
        package var businessLines: [String] = []
        /// Each the first 16 hexadecimal digits of a credential's SHA-256.
        package var keys: [String] = []
        /// Refused once so much of `limits.in_flight_max` is under way: percent, 1 to 100.
        package var inFlightPercent: Int?

        /// Ten percent less room than the class above it, and never less than half of it all.
        package func inFlightPercent(rank: Int) -> Int { inFlightPercent ?? max(50, 100 - 10 * rank) }
    }

    /// The most urgent first, 1 to 8.
    package var classes: [Class] = []
    /// The class of whoever no class names.
    package var usual: String?
    /// The field by which a request names its class, in lower case.
    package var header: String?

    package init() {}

    package static func read(_ section: ConfigSection) -> Self {
        var priorities = Self()
        priorities.classes = section.list(
            "classes", count: 1...8, doc: "The classes, the most urgent first.", readClass)
        var names: Set<String> = []
        for name in priorities.classes.map(\.name) where !names.insert(name).inserted {
            section.mistake("classes", "each name once, found \(ConfigPath.quoted(name)) again")
        }
        priorities.usual = section.optional(
            "default", .identifier,
            doc: "The class of whoever no class names. null: the first that names nobody, or the last.")
        if let usual = priorities.usual, !names.contains(usual) {
            section.mistake("default", "one of \(names.sorted().joined(separator: ", ")), found \(section.written("default"))")
        }
        priorities.header = section.optionalString(
            "header", bytes: 1...64,
            doc:
                "The field by which a request names its class, as `x-sluice-priority`: the application's own word, which lifts nobody above the class that names them. null: none."
        )?.lowercased()
        if let header = priorities.header, !HeaderRules.names.isAllowed(header) {
            section.mistake("header", "\(HeaderRules.names.allowed), found \(section.written("header"))")
        }
        return priorities
    }

    private static func readClass(_ section: ConfigSection) -> Class {
        let name = section.required("name", .identifier, doc: "What logs and the admin port call it.")
        func list(_ key: String, _ doc: String) -> [String] {
            section.strings(key, bytes: 1...128, count: 0...10_000, doc: doc)
        }
        var entry = Class(name: name)
        entry.users = list("users", "Users that are of this class.")
        entry.roles = list("roles", "Roles that are.")
        entry.teams = list("teams", "Teams that are.")
        entry.businessLines = list("business_lines", "Business lines that are.")
        entry.keys = list(
            "keys",
            "Credentials of applications that are: the first 16 hexadecimal digits of the SHA-256 of what they send as Authorization or x-api-key."
        ).map { $0.lowercased() }
        for key in entry.keys where key.utf8.count != 16 || !key.utf8.allSatisfy({ $0.hexDigitValue != nil }) {
            section.mistake("keys", "16 hexadecimal digits each, found \(key.utf8.count == 16 ? "others" : "\(key.utf8.count) bytes")")
        }
        entry.inFlightPercent = section.optional(
            "in_flight_percent", .integer(in: 1...100),
            doc:
                "Refused once so much of `limits.in_flight_max` is under way. null: 100 for the first class, and 10 less for each after it, down to 50."
        )
        return entry
    }
}
