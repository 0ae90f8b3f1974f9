internal import SluiceCore
package import SluiceJSON

/// What Anthropic says of tokens, put together from the events that say it: a field that is missing does not undo an earlier one
/// (section 7 of the Anthropic sheet).
package struct AnthropicUsage: Sendable {
    private var input: Int?
    private var cacheWrite: Int?
    private var cacheRead: Int?
    private var output: Int?
    private var thinking: Int?
    /// More than any model reads or writes; keeps sums from overflowing.
    private static let countMax = 1 << 48

    package init() {}

    package mutating func merge(_ usage: JSONValue?) {
        guard let usage, usage.isObject else { return }
        Self.take(usage["input_tokens"], &input)
        Self.take(usage["cache_creation_input_tokens"], &cacheWrite)
        Self.take(usage["cache_read_input_tokens"], &cacheRead)
        Self.take(usage["output_tokens"], &output)
        Self.take(usage["output_tokens_details"]?["thinking_tokens"], &thinking)
    }

    private static func take(_ value: JSONValue?, _ count: inout Int?) {
        if let number = value?.int { count = min(max(0, number), countMax) }
    }

    /// In OpenAI's way of counting; `nil` if nothing was said. Anthropic counts cached tokens beside the input.
    package var usage: Usage? {
        if input == nil, output == nil { return nil }
        let cacheRead = cacheRead ?? 0
        let cacheWrite = cacheWrite ?? 0
        return Usage(
            inputTokens: (input ?? 0) + cacheRead + cacheWrite, outputTokens: output ?? 0, cachedInputTokens: cacheRead,
            cacheWriteInputTokens: cacheWrite, reasoningTokens: thinking ?? 0)
    }
}

extension Usage {
    /// Reads the `usage` of a whole message.
    package init?(anthropic value: JSONValue?) {
        var usage = AnthropicUsage()
        usage.merge(value)
        guard let usage = usage.usage else { return nil }
        self = usage
    }

    /// Writes the `usage` object of Messages.
    package func writeAnthropic(_ json: inout JSONWriter) {
        json.object { json in
            json.key("input_tokens")
            json.int(max(0, inputTokens &- cachedInputTokens &- cacheWriteInputTokens))
            json.key("cache_creation_input_tokens")
            json.int(cacheWriteInputTokens)
            json.key("cache_read_input_tokens")
            json.int(cachedInputTokens)
            json.key("output_tokens")
            json.int(outputTokens)
            if reasoningTokens > 0 {
                json.key("output_tokens_details")
                json.object { json in
                    json.key("thinking_tokens")
                    json.int(reasoningTokens)
                }
            }
        }
    }
}
