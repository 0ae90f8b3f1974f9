internal import SluiceCore
internal import SluiceJSON

/// Tokens of a prompt and of an answer, as the endpoints report them.
struct TokenUsage {
    let prompt: Int
    let completion: Int
    let cached: Int
    let reasoning: Int

    init(prompt: Int, completion: Int, _ override: UsageOverride) {
        self.prompt = override.prompt ?? prompt
        self.completion = override.completion ?? completion
        cached = min(override.cached, self.prompt)
        reasoning = min(override.reasoning, self.completion)
    }

    /// As chat completions and completions have it.
    func writeChat(_ json: inout JSONWriter) {
        json.object { json in
            json.member("prompt_tokens", prompt)
            json.member("completion_tokens", completion)
            json.member("total_tokens", prompt + completion)
            json.key("prompt_tokens_details")
            json.object { json in
                json.member("cached_tokens", cached)
                json.member("audio_tokens", 0)
            }
            json.key("completion_tokens_details")
            json.object { json in
                json.member("reasoning_tokens", reasoning)
                json.member("audio_tokens", 0)
                json.member("accepted_prediction_tokens", 0)
                json.member("rejected_prediction_tokens", 0)
            }
        }
    }

    /// As responses have it.
    func writeResponses(_ json: inout JSONWriter) {
        json.object { json in
            json.member("input_tokens", prompt)
            json.key("input_tokens_details")
            json.object { json in
                json.member("cached_tokens", cached)
                json.member("cache_write_tokens", 0)
            }
            json.member("output_tokens", completion)
            json.key("output_tokens_details")
            json.object { json in json.member("reasoning_tokens", reasoning) }
            json.member("total_tokens", prompt + completion)
        }
    }
}
