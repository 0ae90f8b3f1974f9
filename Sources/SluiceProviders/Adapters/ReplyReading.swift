internal import SluiceConfig
internal import SluiceCore
internal import SluiceJSON

/// How a platform's replies are read, made ready.
package struct ReplyReading: Sendable {
    /// OpenAI's own.
    package static let standard = ReplyReading(ReplyRules(), ErrorTable())

    let errors: ErrorTable
    let idKey: [UInt8]
    let takesModel: Bool
    /// Fields of a message; `reasoning_details` is an array of texts.
    let reasoningKeys: [[UInt8]]
    package let hasThinkTags: Bool
    package let includesStop: Bool
    private let finishReasons: [(word: [UInt8], finish: ReplyRules.Finish)]
    private let cachedTokens: [FieldPath]
    private let reasoningTokens: [FieldPath]
    private let addsReasoningTokens: Bool

    init(_ rules: ReplyRules, _ errors: ErrorTable) {
        self.errors = errors
        idKey = Array(rules.idField.utf8)
        takesModel = rules.modelName == .provider
        reasoningKeys = rules.reasoningFields.map { Array($0.utf8) }
        hasThinkTags = rules.hasThinkTags
        includesStop = rules.includesStop
        finishReasons = rules.finishReasons.map { (Array($0.name.utf8), $0.value) }
        cachedTokens = rules.cachedTokens.map { FieldPath($0) }
        reasoningTokens = rules.reasoningTokens.map { FieldPath($0) }
        addsReasoningTokens = rules.addsReasoningTokens
    }

    static let detailsKey = Array("reasoning_details".utf8)

    /// - Returns: `nil` for words that mean a failure.
    func finish(_ reason: JSONValue) -> FinishReason? {
        for (word, finish) in finishReasons where reason.equals(word.span) {
            switch finish {
            case .stop: return .stop
            case .length: return .length
            case .toolCalls: return .toolCalls
            case .contentFilter: return .contentFilter
            case .failure: return nil
            }
        }
        return FinishReason(provider: reason)
    }

    /// A `usage` object, with the numbers that are elsewhere; `nil` if there is none.
    func usage(_ value: JSONValue?) -> Usage? {
        guard let value, var usage = Usage(openAI: value) else { return nil }
        if let count = first(cachedTokens, in: value) { usage.cachedInputTokens = count }
        if let count = first(reasoningTokens, in: value) { usage.reasoningTokens = count }
        if addsReasoningTokens {
            let (sum, overflowed) = usage.outputTokens.addingReportingOverflow(max(0, usage.reasoningTokens))
            usage.outputTokens = overflowed ? .max : sum
        }
        return usage
    }

    private func first(_ paths: [FieldPath], in usage: JSONValue) -> Int? {
        for path in paths { if let count = path.value(in: usage)?.int { return max(0, count) } }
        return nil
    }
}
