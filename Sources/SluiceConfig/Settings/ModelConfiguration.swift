/// A name that applications ask for, and what answers it.
package struct ModelConfiguration: Sendable, Equatable {
    package var name: String
    /// The name of a provider.
    package var provider: String
    /// What the provider calls it; default: the same.
    package var upstreamModel: String
    /// What happens to a request that asks for more than the model can do; `nil`: as it is said for all.
    package var unsupported: ServerConfiguration.Unsupported?

    package init(
        name: String, provider: String, upstreamModel: String, unsupported: ServerConfiguration.Unsupported? = nil
    ) {
        self.name = name
        self.provider = provider
        self.upstreamModel = upstreamModel
        self.unsupported = unsupported
    }

    /// - Parameter providers: the names that `provider` may be.
    package static func read(_ section: ConfigSection, name: String, providers: [String]) -> Self {
        let provider = section.requiredString("provider", bytes: 1...64, doc: "The name of a provider.")
        checkProvider(provider, "provider", section, providers)
        let upstreamModel = section.optionalString(
            "upstream_model", bytes: 1...256, doc: "What the provider calls the model. null: the same.")
        let unsupported = section.optional(
            "unsupported", .choice(of: ServerConfiguration.Unsupported.self),
            doc:
                "What happens to a request that asks for more than the model can do. null: as `unsupported` says for all."
        )
        return ModelConfiguration(
            name: name, provider: provider, upstreamModel: upstreamModel ?? name, unsupported: unsupported)
    }

    static func checkProvider(_ provider: String, _ key: String, _ section: ConfigSection, _ providers: [String]) {
        if providers.contains(provider) { return }
        let question = Suggestion.nearest(to: provider, among: providers).map { ", did you mean \"\($0)\"?" } ?? ";"
        let known = providers.isEmpty ? "there are none" : providers.sorted().joined(separator: ", ")
        section.mistake(key, "unknown provider \(section.written(key))\(question) providers: \(known)")
    }
}
