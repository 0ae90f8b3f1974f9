package import SluiceJSON

extension Usage {
    /// Reads a `usage` object of chat completions and completions, or of responses; `nil` if there is none.
    package init?(openAI value: JSONValue?) {
        guard let usage = value, usage.isObject else { return nil }
        var (input, output, total): (Int?, Int?, Int?)
        var (cached, cacheWrite, reasoning) = (0, 0, 0)
        var members = usage.members
        while let member = members.next() {
            let value = member.value
            if value.isObject {
                if member.isNamed("prompt_tokens_details") || member.isNamed("input_tokens_details") {
                    cached = value["cached_tokens"]?.int ?? cached
                    cacheWrite = value["cache_write_tokens"]?.int ?? cacheWrite
                } else if member.isNamed("completion_tokens_details") || member.isNamed("output_tokens_details") {
                    reasoning = value["reasoning_tokens"]?.int ?? reasoning
                }
            } else if member.isNamed("prompt_tokens") {
                input = value.int ?? input
            } else if member.isNamed("completion_tokens") {
                output = value.int ?? output
            } else if member.isNamed("total_tokens") {
                total = value.int ?? total
            } else if member.isNamed("input_tokens") {
                input = input ?? value.int
            } else if member.isNamed("output_tokens") {
                output = output ?? value.int
            }
        }
        if input == nil, output == nil { return nil }
        self.init(
            inputTokens: input ?? 0, outputTokens: output ?? 0, totalTokens: total,
            cachedInputTokens: cached, cacheWriteInputTokens: cacheWrite, reasoningTokens: reasoning)
    }

    /// Writes the `usage` object of chat completions.
    package func write(_ json: inout JSONWriter) {
        json.object { json in
            json.key("prompt_tokens")
            json.int(inputTokens)
            json.key("completion_tokens")
            json.int(outputTokens)
            json.key("total_tokens")
            json.int(totalTokens)
            if cachedInputTokens > 0 || cacheWriteInputTokens > 0 {
                json.key("prompt_tokens_details")
                json.object { json in
                    json.key("cached_tokens")
                    json.int(cachedInputTokens)
                    if cacheWriteInputTokens > 0 {
                        json.key("cache_write_tokens")
                        json.int(cacheWriteInputTokens)
                    }
                }
            }
            if reasoningTokens > 0 {
                json.key("completion_tokens_details")
                json.object { json in
                    json.key("reasoning_tokens")
                    json.int(reasoningTokens)
                }
            }
            if isEstimated {
                json.key("estimated")
                json.bool(true)
            }
        }
    }
}
