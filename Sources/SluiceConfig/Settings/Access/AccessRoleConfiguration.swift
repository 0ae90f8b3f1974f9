/// A role of the configuration's own.
package struct AccessRoleConfiguration: Sendable, Equatable {
    package struct Names: Sendable, Equatable {
        /// `nil`: not said.
        package var endpoints: [String]?
        package var models: [String]?
        package var providers: [String]?
        package var scenes: [String]?
        package var actions: [String]?

        package init() {}

        static func read(_ section: ConfigSection, _ verb: String) -> Self {
            func names(_ key: String, _ doc: String) -> [String]? {
                let names = section.strings(key, bytes: 1...256, doc: doc)
                return section.has(key) ? names : nil
            }
            var result = Self()
            result.endpoints = names("endpoints", "\(verb) paths: `/v1/chat/completions`, `/v1/*`.")
            result.models = names("models", "\(verb) models, by the names that applications ask for, or that these stand for.")
            result.providers = names("providers", "\(verb) providers.")
            result.scenes = names("scenes", "\(verb) scenes (`prompt_id`). A request without one is only under `*`.")
            result.actions = names("actions", "\(verb) actions of operators: `config.read`, `keys.*`.")
            return result
        }
    }

    /// What this role does not say is as that one has it.
    package var basedOn: String?
    package var allow = Names()
    package var deny = Names()
    /// `nil`: not said.
    package var mayClaim: Bool?

    package init() {}

    static func read(_ section: ConfigSection) -> Self {
        var role = Self()
        role.basedOn = section.optionalString(
            "based_on", bytes: 1...64, doc: "A role: what this one does not say is as that one has it.")
        role.allow = section.section(
            "allow",
            doc:
                "What it may use: names, with one `*` allowed. Models, providers and scenes that are not said are all; endpoints and actions none."
        ) { Names.read($0, "Allowed") }
        role.deny = section.section(
            "deny", doc: "What it may not use, whatever this or another role allows: it goes first."
        ) { Names.read($0, "Denied") }
        role.mayClaim = section.optional(
            "may_claim", .boolean, doc: "Whether its holder may speak for other users, teams and roles.")
        return role
    }

    /// What can only be told when all are known.
    static func check(_ roles: [Named<Self>], _ known: Set<String>, _ section: ConfigSection) {
        let bases = Dictionary(roles.map { ($0.name, $0.value.basedOn) }, uniquingKeysWith: { first, _ in first })
        for role in roles {
            guard let base = role.value.basedOn else { continue }
            if !known.contains(base) {
                section.mistake("roles", "\(role.name).based_on: a role that there is, found \"\(base)\"")
            }
            var next: String? = base
            for _ in 0...roles.count {
                guard let name = next, name != role.name else { break }
                // Of its own name is the built-in one meant.
                next = bases[name] ?? nil
            }
            if next == role.name, base != role.name {
                section.mistake("roles", "\(role.name).based_on: a role that is not based on this one, found a circle")
            }
        }
    }
}
