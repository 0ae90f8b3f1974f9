/// Which names of models a configuration can answer, and what is wrong with those that refer to others.
struct ModelNames {
    /// A model that refers to others, and where it says so.
    struct Reference {
        var name: String
        var to: [String]
        var path: String
        var location: ConfigLocation
    }

    private let models: [ModelConfiguration]
    private let aliases: [String: String]
    private let providers: [ProviderConfiguration]

    init(models: [ModelConfiguration], aliases: [Named<String>], providers: [ProviderConfiguration]) {
        self.models = models
        self.aliases = Dictionary(aliases.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        self.providers = providers
    }

    /// What a name stands for in the end; `nil` if its aliases go round in a circle.
    func resolved(_ name: String) -> String? {
        var name = name
        for _ in 0...aliases.count {
            guard let next = aliases[name] else { return name }
            name = next
        }
        return nil
    }

    /// Whether the configuration alone says what answers a name.
    func isKnown(_ name: String) -> Bool {
        guard let name = resolved(name) else { return true }
        if models.contains(where: { $0.name == name || $0.isPattern && Self.matches($0.name, name) }) { return true }
        if let slash = name.firstIndex(of: "/"), providers.contains(where: { $0.name == name[..<slash] }) { return true }
        return providers.contains { $0.knows(model: name) }
    }

    /// - Parameter pattern: with one `*`.
    private static func matches(_ pattern: String, _ name: String) -> Bool {
        let parts = pattern.split(separator: "*", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return pattern == name }
        return name.utf8.count >= pattern.utf8.count - 1 && name.hasPrefix(parts[0]) && name.hasSuffix(parts[1])
    }

    /// What is wrong with `fallbacks`: names that nothing answers, and models that stand in for themselves.
    func mistakes(in references: [Reference]) -> [ConfigMistake] {
        let next = Dictionary(references.map { ($0.name, $0.to) }, uniquingKeysWith: { first, _ in first })
        var mistakes: [ConfigMistake] = []
        for reference in references {
            for name in reference.to where !isKnown(name) {
                let candidates = models.map(\.name) + aliases.keys.sorted()
                let question = Suggestion.nearest(to: name, among: candidates).map { ", did you mean \"\($0)\"?" } ?? ""
                mistakes.append(
                    ConfigMistake(
                        path: reference.path, location: reference.location,
                        message: "a model, an alias or PROVIDER/MODEL, found \(ConfigPath.quoted(name))\(question)"))
            }
            if let circle = circle(from: reference.name, next) {
                mistakes.append(
                    ConfigMistake(
                        path: reference.path, location: reference.location,
                        message: "a model cannot stand in for itself: \(circle.joined(separator: " → "))"))
            }
        }
        return mistakes
    }

    /// The way from a model back to itself, if there is one.
    private func circle(from start: String, _ next: [String: [String]]) -> [String]? {
        var ways = [[start]]
        var seen: Set<String> = []
        while let way = ways.popLast() {
            guard let last = way.last else { continue }
            for name in next[last] ?? [] {
                let name = resolved(name) ?? name
                if name == start { return way + [name] }
                if seen.insert(name).inserted { ways.append(way + [name]) }
            }
        }
        return nil
    }
}
