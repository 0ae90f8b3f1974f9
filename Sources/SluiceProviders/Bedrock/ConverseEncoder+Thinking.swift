internal import SluiceCore
internal import SluiceJSON

/// How deep the model is to think, in the words of its family (section 5 of the sheet).
extension ConverseEncoder {
    enum Thinking: Equatable {
        case none
        /// Claude up to 4.5: so many tokens.
        case budget(Int)
        /// Newer Claude.
        case adaptive(String)
        /// Nova 2 (not verified).
        case nova(String)
        /// Models that take OpenAI's own field.
        case effort(String)
    }

    private static let budgetMin = 1024

    mutating func thinking(_ request: borrowing ChatRequest) -> Thinking {
        guard let effort = request.reasoningEffort, effort != "none" else { return .none }
        if request["thinking"] != nil { return .none }
        switch (capabilities.reasoning, family) {
        case (.none, _):
            report.lose("reasoning_effort")
            return .none
        case (.adaptive, _): return .adaptive(effort == "minimal" ? "low" : effort)
        case (_, .nova): return .nova(effort == "minimal" ? "low" : effort == "xhigh" ? "high" : effort)
        case (.effort, .other): return .effort(effort)
        case (.budget, _), (.effort, .claude): return budget(effort, request)
        }
    }

    /// The budget must be below what the answer may have in all.
    mutating func budget(_ effort: String, _ request: borrowing ChatRequest) -> Thinking {
        let wanted: Int
        switch effort {
        case "minimal", "low": wanted = Self.budgetMin
        case "medium": wanted = 4096
        case "high": wanted = 16_384
        default: wanted = 32_768
        }
        guard let most = request.outputTokensMax else { return .budget(wanted) }
        if most <= Self.budgetMin {
            report.lose("reasoning_effort")
            return .none
        }
        return .budget(min(wanted, most - 1))
    }
}
