/// A name that applications ask for, and what answers it.
package struct ModelConfiguration: Sendable, Equatable {
    package var name: String
    /// The name of a provider.
    package var provider: String
    /// What the provider calls it; default: the same.
    package var upstreamModel: String

    package init(name: String, provider: String, upstreamModel: String) {
        self.name = name
        self.provider = provider
        self.upstreamModel = upstreamModel
    }

    /// - Parameter providers: the names that `provider` may be.
    package static func read(_ section: ConfigSection, name: String, providers: [String]) -> Self {
        let provider = section.requiredString("provider", bytes: 1...64, doc: "The name of a provider.")
        checkProvider(provider, "provider", section, providers)
        let upstreamModel = section.optionalString(
            "upstream_model", bytes: 1...256, doc: "What the provider calls the model. null: the same.")
        return ModelConfiguration(name: name, provider: provider, upstreamModel: upstreamModel ?? name)
    }

    static func checkProvider(_ provider: String, _ key: String, _ section: ConfigSection, _ providers: [String]) {
        if providers.contains(provider) { return }
        let question = Suggestion.nearest(to: provider, among: providers).map { ", did you mean \"\($0)\"?" } ?? ";"
        let known = providers.isEmpty ? "there are none" : providers.sorted().joined(separator: ", ")
        section.mistake(key, "unknown provider \(section.written(key))\(question) providers: \(known)")
    }
}
