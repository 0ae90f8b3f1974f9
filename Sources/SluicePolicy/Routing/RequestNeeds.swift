/// What a request needs of the model that answers it.
package struct RequestNeeds: Sendable, Equatable {
    package var abilities: Abilities = []
    /// Estimated from the request's bytes.
    package var inputTokens = 0
    /// The most that the answer may have; `nil` if the request does not say.
    package var outputTokens: Int?

    package init() {}

    /// Stands for an answer whose length nobody limits, where prices are compared.
    private static let outputTokensAssumed = 512

    /// What the answer may cost, in millionths of the currency.
    func micros(_ price: TargetPrice) -> Double {
        price.exactMicros(inputTokens, outputTokens ?? Self.outputTokensAssumed)
    }
}

/// What some models can do and others cannot.
package struct Abilities: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let tools = Abilities(rawValue: 1)
    package static let forcedTools = Abilities(rawValue: 2)
    package static let images = Abilities(rawValue: 4)
    package static let audio = Abilities(rawValue: 8)
    package static let files = Abilities(rawValue: 16)
    package static let jsonObject = Abilities(rawValue: 32)
    package static let jsonSchema = Abilities(rawValue: 64)
    package static let all = Abilities(rawValue: 127)
}

/// What the configuration says of a target, as far as it decides which one is asked.
package struct TargetTraits: Sendable, Equatable {
    /// 0: only when the others cannot answer.
    package var weight = 1
    /// `nil`: not known.
    package var price: TargetPrice?
    /// Tokens of request and answer together; `nil`: not known, so anything fits.
    package var contextTokensMax: Int?
    package var abilities = Abilities.all

    package init() {}

    package func fits(_ needs: RequestNeeds) -> Bool {
        if !abilities.isSuperset(of: needs.abilities) { return false }
        guard let max = contextTokensMax else { return true }
        let (sum, overflowed) = needs.inputTokens.addingReportingOverflow(needs.outputTokens ?? 0)
        return !overflowed && sum <= max
    }
}
