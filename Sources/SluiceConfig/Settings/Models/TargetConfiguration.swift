package import SluicePolicy

/// One model of one provider, as an answer to a name.
package struct TargetConfiguration: Sendable, Equatable {
    /// The name of a provider.
    package var provider: String
    /// What the provider calls it. A `*` stands for what the model's `*` stood for. Default: the model's name.
    package var upstreamModel: String
    /// 0 to 1000; its share beside the others. 0: only when the others cannot answer. Default 1.
    package var weight = 1
    /// 0 to 100; a greater number is asked when all with smaller ones cannot answer. Default 0.
    package var priority = 0
    /// `nil`: not known.
    package var price: TargetPrice?
    /// Tokens of request and answer together; `nil`: as the provider's capabilities say.
    package var contextTokensMax: Int?
    /// Where it differs from what the provider's capabilities say.
    package var capabilities: CapabilityRules?
    /// What happens to a request that asks for more than the model can do; `nil`: as the model says.
    package var unsupported: ServerConfiguration.Unsupported?

    package init(provider: String, upstreamModel: String) {
        self.provider = provider
        self.upstreamModel = upstreamModel
    }

    static func read(_ section: ConfigSection, model: String, providers: [String]) -> Self {
        let provider = section.requiredString("provider", bytes: 1...64, doc: "The name of a provider.")
        ModelConfiguration.checkProvider(provider, "provider", section, providers)
        var target = Self(provider: provider, upstreamModel: readUpstreamModel(section, model: model))
        target.weight = section.integer(
            "weight", default: target.weight, in: 0...1000,
            doc: "Its share beside the others. 0: only when the others cannot answer.")
        target.priority = section.integer(
            "priority", default: target.priority, in: 0...100,
            doc: "Those with a greater number are asked when all with smaller ones cannot answer.")
        target.price = section.optionalSection(
            "price", doc: "What it costs, in one currency for all targets.", TargetPrice.read)
        target.contextTokensMax = section.optional(
            "context_tokens_max", .integer(in: 1...100_000_000),
            doc: "Tokens of request and answer together. null: as the provider's `capabilities` say.")
        target.capabilities = section.optionalSection(
            "capabilities", doc: "What the model can do, where it differs from what the provider's `capabilities` say."
        ) { CapabilityRules.readAbilities($0, models: ["*"], hasContext: false) }
        target.unsupported = section.optional(
            "unsupported", .choice(of: ServerConfiguration.Unsupported.self),
            doc: "What happens to a request that asks for more than it can do. null: as the model says.")
        return target
    }

    static func readUpstreamModel(_ section: ConfigSection, model: String) -> String {
        let upstreamModel = section.optionalString(
            "upstream_model", bytes: 1...256,
            doc: "What the provider calls the model; `*` is what the `*` of the model's name stood for. null: the same."
        )
        guard let upstreamModel else { return model }
        let stars = upstreamModel.utf8.count { $0 == UInt8(ascii: "*") }
        if stars > 1 || stars == 1 && !model.utf8.contains(UInt8(ascii: "*")) {
            section.mistake("upstream_model", "one `*` at most, and only where the model's name has one")
        }
        return upstreamModel
    }
}

extension TargetPrice {
    static func read(_ section: ConfigSection) -> Self {
        func micros(_ price: Double) -> Int { Int((price * 1_000_000).rounded()) }
        let range = 0.0...1_000_000.0
        let input = section.required("input", .number(in: range), doc: "A million tokens of requests.")
        let output = section.required("output", .number(in: range), doc: "A million tokens of answers.")
        let cached = section.optional(
            "cached_input", .number(in: range),
            doc: "A million tokens of requests that the provider had in its cache. null: as `input`.")
        return Self(
            inputMicros: micros(input), outputMicros: micros(output), cachedInputMicros: cached.map(micros))
    }
}
