/// What a request cost in tokens, in OpenAI's way of counting: cached tokens are part of the input, reasoning tokens of the output.
package struct Usage: Equatable, Sendable {
    package var inputTokens: Int
    package var outputTokens: Int
    package var totalTokens: Int
    package var cachedInputTokens: Int
    package var reasoningTokens: Int

    package init(
        inputTokens: Int = 0, outputTokens: Int = 0, totalTokens: Int? = nil, cachedInputTokens: Int = 0, reasoningTokens: Int = 0
    ) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        let (sum, overflowed) = inputTokens.addingReportingOverflow(outputTokens)
        self.totalTokens = totalTokens ?? (overflowed ? .max : sum)
        self.cachedInputTokens = cachedInputTokens
        self.reasoningTokens = reasoningTokens
    }
}
