/// What a million tokens cost, in millionths of the operator's currency.
package struct TargetPrice: Sendable, Equatable {
    package var inputMicros: Int
    package var outputMicros: Int
    /// Of tokens that the provider had in its cache.
    package var cachedInputMicros: Int

    package init(inputMicros: Int, outputMicros: Int, cachedInputMicros: Int? = nil) {
        self.inputMicros = inputMicros
        self.outputMicros = outputMicros
        self.cachedInputMicros = cachedInputMicros ?? inputMicros
    }

    /// What so many tokens cost, in millionths of the currency, rounded up; `Int.max` if it is more than that.
    ///
    /// - Parameter cachedInputTokens: those among `inputTokens` that the provider had in its cache.
    package func micros(inputTokens: Int, outputTokens: Int, cachedInputTokens: Int = 0) -> Int {
        Int(exactly: exactMicros(inputTokens, outputTokens, cachedInputTokens).rounded(.up)) ?? .max
    }

    /// Not rounded, so that prices of small requests can be compared.
    func exactMicros(_ inputTokens: Int, _ outputTokens: Int, _ cachedInputTokens: Int = 0) -> Double {
        let cached = min(max(0, cachedInputTokens), max(0, inputTokens))
        var sum = 0.0
        sum += Double(max(0, inputTokens) - cached) * Double(inputMicros)
        sum += Double(cached) * Double(cachedInputMicros)
        sum += Double(max(0, outputTokens)) * Double(outputMicros)
        return sum / 1_000_000
    }
}
