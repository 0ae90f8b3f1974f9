internal import SluicePolicy

/// An entry of `routes`.
extension RouteRule {
    static func read(_ section: ConfigSection, providers: [String]) -> Self {
        var route = Self(
            name: section.requiredString("name", bytes: 1...64, doc: "What the log calls the rule."))
        route.condition = section.section(
            "when", doc: "What a request has to be like: all of it at once. Nothing: any.",
            RouteCondition.read)
        route.model = section.optionalString(
            "model", bytes: 1...256, doc: "Answers in place of the model that was asked for. null: that one.")
        route.preferred = section.strings(
            "prefer", bytes: 1...64, count: 0...16,
            doc: "Providers whose targets come before the others, in this order.")
        for name in route.preferred where !providers.contains(name) {
            section.mistake("prefer", ModelConfiguration.unknownProvider("\"\(name)\"", name, providers))
        }
        for (name, weight) in section.dictionary(
            "weights", of: .integer(in: 0...1000), names: .identifier,
            doc: "Weights in place of the targets' own, by provider.")
        {
            route.weights[name] = weight
            if providers.contains(name) { continue }
            section.mistake("weights", ModelConfiguration.unknownProvider("\"\(name)\"", name, providers))
        }
        if route.model == nil, route.preferred.isEmpty, route.weights.isEmpty {
            section.mistake("required: `model`, `prefer` or `weights`")
        }
        return route
    }
}

extension RouteCondition {
    static func read(_ section: ConfigSection) -> Self {
        func patterns(_ key: String, _ what: String) -> [NamePattern] {
            section.values(key, .pattern, doc: "\(what). Names, or patterns with one `*`.").map { NamePattern($0) }
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
            let values = section.values("values", .pattern, doc: "What it may be. Empty: anything.")
            return Header(name: name, values: values.map { NamePattern($0) })
        }
        let size = 0...1 << 40
        let least = section.optional("body_bytes_min", .integer(in: size), doc: "The shortest body.")
        let most = section.optional("body_bytes_max", .integer(in: size), doc: "The longest body.")
        if least != nil || most != nil { condition.bodyBytes = (least ?? 0)...max(least ?? 0, most ?? .max) }
        if let least, let most, least > most {
            section.mistake("body_bytes_max", "at least body_bytes_min, found \(most)")
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
