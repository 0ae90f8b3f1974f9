/// What a request cost in tokens, in OpenAI's way of counting: cached tokens are part of the input, reasoning tokens of the output.
package struct Usage: Equatable, Sendable {
    package var inputTokens: Int
    package var outputTokens: Int
    package var totalTokens: Int
    /// Read from the provider's cache.
    package var cachedInputTokens: Int
    /// Written to the provider's cache.
    package var cacheWriteInputTokens: Int
    package var reasoningTokens: Int
    /// Counted by us, roughly, because the provider did not say.
    package var isEstimated = false

    /// A provider may say what it likes: what is less than nothing is nothing, so that one count can be taken from
    /// another.
    package init(
        inputTokens: Int = 0, outputTokens: Int = 0, totalTokens: Int? = nil, cachedInputTokens: Int = 0,
        cacheWriteInputTokens: Int = 0, reasoningTokens: Int = 0
    ) {
        self.inputTokens = max(0, inputTokens)
        self.outputTokens = max(0, outputTokens)
        let (sum, overflowed) = self.inputTokens.addingReportingOverflow(self.outputTokens)
        self.totalTokens = totalTokens.map { max(0, $0) } ?? (overflowed ? .max : sum)
        self.cachedInputTokens = max(0, cachedInputTokens)
        self.cacheWriteInputTokens = max(0, cacheWriteInputTokens)
        self.reasoningTokens = max(0, reasoningTokens)
    }

    /// A rough count for a provider that does not say: about four bytes of UTF-8 a token, at least one for any text.
    ///
    /// - Parameters:
    ///   - requestByteCount: of the request's body.
    ///   - textByteCount: of what was generated.
    package static func estimate(requestByteCount: Int, textByteCount: Int) -> Usage {
        var usage = Usage(inputTokens: (requestByteCount + 3) / 4, outputTokens: (textByteCount + 3) / 4)
        usage.isEstimated = true
        return usage
    }

    /// What an answer cost that broke off: the provider may have said what went in, and hardly what came out.
    ///
    /// - Parameter estimate: of what came until then; `nil` if nothing came.
    package static func ofCut(_ said: Usage?, _ estimate: Usage?) -> Usage? {
        guard let said else { return estimate }
        guard let estimate, estimate.outputTokens > said.outputTokens else { return said }
        var usage = said
        let (total, overflowed) = said.totalTokens.addingReportingOverflow(estimate.outputTokens - said.outputTokens)
        usage.outputTokens = estimate.outputTokens
        usage.totalTokens = overflowed ? .max : total
        usage.isEstimated = true
        return usage
    }

    /// What several attempts cost together; as good as the worse of them is known.
    package static func sum(_ first: Usage?, _ second: Usage?) -> Usage? {
        guard let first else { return second }
        guard let second else { return first }
        func add(_ path: KeyPath<Usage, Int>) -> Int {
            let (sum, overflowed) = first[keyPath: path].addingReportingOverflow(second[keyPath: path])
            return overflowed ? .max : sum
        }
        var usage = Usage(
            inputTokens: add(\.inputTokens), outputTokens: add(\.outputTokens), totalTokens: add(\.totalTokens),
            cachedInputTokens: add(\.cachedInputTokens), cacheWriteInputTokens: add(\.cacheWriteInputTokens),
            reasoningTokens: add(\.reasoningTokens))
        usage.isEstimated = first.isEstimated || second.isEstimated
        return usage
    }
}
