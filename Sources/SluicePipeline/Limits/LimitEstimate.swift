internal import SluiceCore
internal import SluiceDownstream
internal import SluiceJSON
internal import SluicePolicy
internal import SluiceProviders

/// What a request will need, as far as can be told before it has been answered.
enum LimitEstimate {
    /// Answers of one request, whatever it says: more are refused by every provider.
    private static let choicesMax = 128

    /// - Parameter tape: holds the request's document, if it is JSON.
    static func amounts(_ request: IncomingRequest, _ context: RequestContext, tape: JSONTape) -> LimitAmounts {
        guard case .json(let body) = request.body, !context.countsTokens else { return LimitAmounts() }
        let root = tape.root(over: body.span)
        let needs = RequestNeeds(root)
        var amounts = LimitAmounts(inputTokens: needs.inputTokens)
        if answersWithText(context.operation) {
            let choices = min(max(root["n"]?.int ?? 1, 1), choicesMax)
            let each = min(needs.outputTokens ?? context.snapshot.limits.outputTokensReserved, LimitAmounts.amountMax)
            amounts.outputTokens = each * choices
        }
        if context.snapshot.rateLimits?.countsCost == true {
            for target in context.plan.targets {
                guard let price = target.traits.price else { continue }
                let cost = price.micros(inputTokens: amounts.inputTokens, outputTokens: amounts.outputTokens)
                amounts.cost = max(amounts.cost, cost)
            }
        }
        return amounts
    }

    private static func answersWithText(_ operation: OpenAIOperation?) -> Bool {
        switch operation {
        case .chatCompletions, .completions, .responses: true
        default: false
        }
    }
}
