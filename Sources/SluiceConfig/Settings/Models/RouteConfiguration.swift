/// A rule that takes some requests elsewhere, or to their model's targets in another order. The first that matches counts.
package struct RouteConfiguration: Sendable, Equatable {
    /// As the log has it.
    package var name: String
    package var condition = RouteConditionConfiguration()
    /// What answers in place of the model that was asked for.
    package var model: String?
    /// Providers whose targets come first.
    package var preferred: [String] = []
    /// Weights in place of the targets' own, by provider.
    package var weights: [Named<Int>] = []

    package init(name: String) { self.name = name }

    static func read(_ section: ConfigSection, providers: [String]) -> Self {
        var route = Self(
            name: section.requiredString("name", bytes: 1...64, doc: "What the log calls the rule."))
        route.condition = section.section(
            "when", doc: "What a request has to be like: all of it at once. Nothing: any.",
            RouteConditionConfiguration.read)
        route.model = section.optionalString(
            "model", bytes: 1...256, doc: "Answers in place of the model that was asked for. null: that one.")
        route.preferred = section.strings(
            "prefer", bytes: 1...64, count: 0...16,
            doc: "Providers whose targets come before the others, in this order.")
        for name in route.preferred where !providers.contains(name) {
            section.mistake("prefer", ModelConfiguration.unknownProvider("\"\(name)\"", name, providers))
        }
        route.weights = section.dictionary(
            "weights", of: .integer(in: 0...1000), names: .identifier,
            doc: "Weights in place of the targets' own, by provider."
        ).map { Named($0.name, $0.value) }
        for weight in route.weights where !providers.contains(weight.name) {
            section.mistake(
                "weights", ModelConfiguration.unknownProvider("\"\(weight.name)\"", weight.name, providers))
        }
        if route.model == nil, route.preferred.isEmpty, route.weights.isEmpty {
            section.mistake("required: `model`, `prefer` or `weights`")
        }
        return route
    }
}

/// What a request has to be like. Of each list one entry is enough; what is not given does not matter.
package struct RouteConditionConfiguration: Sendable, Equatable {
    package struct Header: Sendable, Equatable {
        /// In lower case.
        package var name: String
        /// Empty: the field has to be there.
        package var values: [String]
    }

    package var models: [String] = []
    package var users: [String] = []
    package var roles: [String] = []
    package var teams: [String] = []
    package var businessLines: [String] = []
    package var scenes: [String] = []
    package var headers: [Header] = []
    package var bodyByteCountMin: Int?
    package var bodyByteCountMax: Int?
    package var isStream: Bool?

    package init() {}

    static func read(_ section: ConfigSection) -> Self {
        func patterns(_ key: String, _ what: String) -> [String] {
            section.values(key, .pattern, doc: "\(what). Names, or patterns with one `*`.")
        }
        var condition = Self()
        condition.models = patterns("models", "Models as they are asked for, aliases resolved")
        condition.users = patterns("users", "Users")
        condition.roles = patterns("roles", "Roles")
        condition.teams = patterns("teams", "Teams")
        condition.businessLines = patterns("business_lines", "Business lines")
        condition.scenes = patterns("scenes", "Scenes: `prompt_id` of the platform's envelope")
        condition.headers = section.list(
            "headers", count: 0...16, doc: "Fields of the request's head, all of them."
        ) { section in
            let name = section.required("name", .headerName, doc: "The name of the field.")
            return Header(name: name, values: section.values("values", .pattern, doc: "What it may be. Empty: anything."))
        }
        let size = 0...1 << 40
        condition.bodyByteCountMin = section.optional(
            "body_bytes_min", .integer(in: size), doc: "The shortest body.")
        condition.bodyByteCountMax = section.optional(
            "body_bytes_max", .integer(in: size), doc: "The longest body.")
        if let min = condition.bodyByteCountMin, let max = condition.bodyByteCountMax, min > max {
            section.mistake("body_bytes_max", "at least body_bytes_min, found \(max)")
        }
        condition.isStream = section.optional("stream", .boolean, doc: "Whether a stream is asked for.")
        return condition
    }
}

extension ConfigRule where Value == String {
    /// A name, or text with one `*` in it that stands for any.
    static var pattern: ConfigRule {
        text("pattern", allowed: "a name or a pattern of 1 to 256 bytes with one `*` at most", placeholder: "", show: { $0 }) {
            1...256 ~= $0.utf8.count && $0.utf8.count { $0 == UInt8(ascii: "*") } <= 1 ? $0 : nil
        }
    }

    /// In lower case.
    static var headerName: ConfigRule {
        text("field name", allowed: "the name of a header field", placeholder: "x", show: { $0 }) {
            HeaderRules.isName($0) ? $0.lowercased() : nil
        }
    }
}
