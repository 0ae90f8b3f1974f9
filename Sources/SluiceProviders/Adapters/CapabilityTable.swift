package import SluiceConfig

/// What the models of a provider can do, by pattern: the longest one that fits counts, and has what shorter ones say.
package struct CapabilityTable: Sendable {
    private struct Row: Sendable {
        let pattern: String
        let capabilities: Capabilities
    }

    /// Longest pattern first.
    private let rows: [Row]
    private let other: Capabilities

    /// - Parameters:
    ///   - rules: the adapter's.
    ///   - overrides: the provider's own, which go before them.
    ///   - asksForUsage: whether the platform takes `stream_options`.
    package init(_ rules: [CapabilityRules] = [], overrides: [CapabilityRules] = [], asksForUsage: Bool = true) {
        let patterns = Set((rules + overrides).flatMap(\.models)).sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }
        func capabilities(_ pattern: String) -> Capabilities {
            var result = Capabilities()
            for source in [rules, overrides] {
                var covering: [(length: Int, rule: CapabilityRules)] = []
                for rule in source {
                    let longest = rule.models.filter { Self.covers($0, pattern) }.map(\.utf8.count).max()
                    if let longest { covering.append((longest, rule)) }
                }
                for (_, rule) in covering.sorted(by: { $0.length < $1.length }) { result.apply(rule) }
            }
            if !asksForUsage { result.streamUsage = false }
            return result
        }
        rows = patterns.map { Row(pattern: $0, capabilities: capabilities($0)) }
        other = capabilities("")
    }

    /// Whether everything that has one pattern has the other.
    private static func covers(_ wide: String, _ narrow: String) -> Bool {
        if wide == narrow { return true }
        guard wide.hasSuffix("*") else { return false }
        return (narrow.hasSuffix("*") ? String(narrow.dropLast()) : narrow).hasPrefix(wide.dropLast())
    }

    package func row(for model: String) -> Capabilities {
        // A whole name is longer than the beginning of it.
        for row in rows where row.pattern == model { return row.capabilities }
        for row in rows where ModelPattern.matches(row.pattern, model) { return row.capabilities }
        return other
    }
}

extension Capabilities {
    package mutating func apply(_ rule: CapabilityRules) {
        for flag in rule.flags {
            if let path = Self.flags[flag.name] { self[keyPath: path] = flag.value }
        }
        if let reasoning = rule.reasoning { self.reasoning = Reasoning(rawValue: reasoning.rawValue) ?? .effort }
        if let continuation = rule.continuation {
            self.continuation = Continuation(rawValue: continuation.rawValue) ?? .none
        }
        if let max = rule.contextTokensMax { contextTokensMax = max }
        if let max = rule.outputTokensMax { outputTokensMax = max }
        // Without tools there are none to force.
        if !tools { (parallelTools, forcedTools) = (false, false) }
    }

    /// The flags by the names that adapters use.
    package static var flags: [String: WritableKeyPath<Capabilities, Bool>] {
        [
            "system_role": \.systemRole, "tools": \.tools, "parallel_tools": \.parallelTools,
            "forced_tools": \.forcedTools,
            "json_object": \.jsonObject, "json_schema": \.jsonSchema, "images": \.images, "image_urls": \.imageURLs,
            "audio": \.audio, "files": \.files, "sampling": \.sampling, "prefill": \.prefill,
            "stream_usage": \.streamUsage,
        ]
    }
}
