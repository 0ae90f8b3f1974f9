internal import SluiceCore
internal import SluiceJSON

/// `inferenceConfig`, within what thinking allows.
extension ConverseEncoder {
    mutating func writeInference(_ request: borrowing ChatRequest, _ thinking: Thinking) {
        let text = ByteBuffer(capacity: 128)
        var config = JSONWriter(into: text)
        config.beginObject()
        writeTokens(request, thinking, &config)
        writeTemperature(request, thinking, &config)
        writeTopP(request, thinking, &config)
        writeStops(request, &config)
        config.endObject()
        if text.count <= 2 { return }
        json.key("inferenceConfig")
        json.raw(text.span)
    }

    private static let answerTokensBesideThinking = 8192

    private mutating func writeTokens(
        _ request: borrowing ChatRequest, _ thinking: Thinking, _ config: inout JSONWriter
    ) {
        if let most = request.outputTokensMax {
            config.key("maxTokens")
            config.int(max(1, most))
        } else if case .budget(let budget) = thinking {
            // A model's own default may be less than the budget, and then the request is refused.
            let most = budget + Self.answerTokensBesideThinking
            config.key("maxTokens")
            config.int(max(budget + 1, min(most, capabilities.outputTokensMax ?? most)))
            report.adapt("max_completion_tokens: more than the thinking")
        }
    }

    private mutating func writeTemperature(
        _ request: borrowing ChatRequest, _ thinking: Thinking, _ config: inout JSONWriter
    ) {
        guard let value = request["temperature"], let temperature = value.double else { return }
        if !capabilities.sampling || family == .claude && thinking != .none && temperature != 1 {
            return report.lose("temperature")
        }
        config.key("temperature")
        if temperature <= 1 { return config.value(value) }
        config.int(1)
        report.adapt("temperature: 1")
    }

    private static let topPMinWithThinking = 0.95

    private mutating func writeTopP(_ request: borrowing ChatRequest, _ thinking: Thinking, _ config: inout JSONWriter)
    {
        guard let value = request["top_p"], let topP = value.double else { return }
        if !capabilities.sampling || family == .claude && thinking != .none && topP < Self.topPMinWithThinking {
            return report.lose("top_p")
        }
        config.key("topP")
        config.value(value)
    }

    private static let stopsMax = 2500

    private mutating func writeStops(_ request: borrowing ChatRequest, _ config: inout JSONWriter) {
        guard let stop = request["stop"], stop.isString || stop.count > 0 else { return }
        config.key("stopSequences")
        config.beginArray()
        if stop.isString, !stop.equals("") { config.value(stop) }
        var elements = stop.elements
        var count = 0
        while let element = elements.next() {
            let isFit = element.isString && !element.equals("") && count < Self.stopsMax
            if isFit { config.value(element) } else { report.lose("stop[\(count)]") }
            count += 1
        }
        config.endArray()
    }
}
