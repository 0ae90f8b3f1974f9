package import SluiceJSON

extension Usage {
    /// Reads a `usage` object of chat completions and completions, or of responses; `nil` if there is none.
    package init?(openAI value: JSONValue?) {
        guard let usage = value, usage.isObject else { return nil }
        let input = usage["prompt_tokens"]?.int ?? usage["input_tokens"]?.int
        let output = usage["completion_tokens"]?.int ?? usage["output_tokens"]?.int
        if input == nil, output == nil { return nil }
        self.init(
            inputTokens: max(0, input ?? 0), outputTokens: max(0, output ?? 0), totalTokens: usage["total_tokens"]?.int,
            cachedInputTokens: usage["prompt_tokens_details"]?["cached_tokens"]?.int
                ?? usage["input_tokens_details"]?["cached_tokens"]?.int ?? 0,
            cacheWriteInputTokens: usage["prompt_tokens_details"]?["cache_write_tokens"]?.int ?? 0,
            reasoningTokens: usage["completion_tokens_details"]?["reasoning_tokens"]?.int
                ?? usage["output_tokens_details"]?["reasoning_tokens"]?.int ?? 0)
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
