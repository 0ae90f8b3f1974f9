internal import SluiceCore
internal import SluiceJSON

/// How deep the model is to think (section 7 of the sheet).
extension GeminiEncoder {
    mutating func writeThinking(_ request: borrowing ChatRequest) {
        guard let effort = request.reasoningEffort else { return }
        switch capabilities.reasoning {
        case .none:
            if effort != "none" { report.lose("reasoning_effort") }
        case .effort, .adaptive:
            guard configKey("thinkingConfig") else { return }
            let level = level(of: effort, request.model)
            if effort == "none" || effort == "xhigh" { report.adapt("reasoning_effort: \(level)") }
            writeThinkingConfig("thinkingLevel", includes: effort != "none") { $0.string(level) }
        case .budget:
            guard configKey("thinkingConfig") else { return }
            let budget = budget(of: effort, request.model)
            writeThinkingConfig("thinkingBudget", includes: budget > 0 && effort != "none") { $0.int(budget) }
        }
    }

    private mutating func writeThinkingConfig(
        _ key: StaticString, includes: Bool, _ value: (inout JSONWriter) -> Void
    ) {
        config.beginObject()
        config.key(key)
        value(&config)
        if includes {
            config.key("includeThoughts")
            config.bool(true)
        }
        config.endObject()
    }

    /// Only Flash models know MINIMAL; no model thinks not at all.
    func level(of effort: String, _ model: String) -> StaticString {
        switch effort {
        case "none", "minimal": model.contains("flash") ? "MINIMAL" : "LOW"
        case "low": "LOW"
        case "medium": "MEDIUM"
        default: "HIGH"
        }
    }

    /// As Google's compatible endpoint does it; Pro models cannot leave thinking out.
    private func budget(of effort: String, _ model: String) -> Int {
        switch effort {
        case "none": model.contains("pro") ? 128 : 0
        case "minimal": 512
        case "low": 1024
        case "medium": 8192
        default: 24_576
        }
    }
}
