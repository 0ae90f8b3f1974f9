internal import SluiceCore
internal import SluicePolicy
internal import SluiceProviders

/// What exchanges cost, in tokens and in money.
extension ExchangeMetrics {
    /// A provider may say what it likes: sums of such numbers stay far from where they would go round.
    private static let tokensMax = 1_000_000_000

    func noteUsage(_ context: RequestContext, _ series: ServedSeries) {
        if context.isCacheHit { return count(.cache) }
        guard let usage = context.attempt.usage, let target = context.attempt.target else {
            if context.hasContentOut, context.operation?.hasStreamOptions == true { count(.unknown) }
            return
        }
        if usage.isEstimated {
            count(.estimated)
            let estimated = series.estimated ?? makeEstimated(series, target, context)
            estimated.input.add(Self.bounded(usage.inputTokens))
            estimated.output.add(Self.bounded(usage.outputTokens))
        } else {
            count(context.drain == nil ? .provider : .drained)
            let tokens = series.tokens ?? makeTokens(series, target, context)
            tokens.input.observe(Self.bounded(usage.inputTokens))
            tokens.output.observe(Self.bounded(usage.outputTokens))
            // These are among the others, too.
            if usage.cachedInputTokens > 0 { tokens.cached.observe(Self.bounded(usage.cachedInputTokens)) }
            if usage.cacheWriteInputTokens > 0 { tokens.cacheWrite.observe(Self.bounded(usage.cacheWriteInputTokens)) }
            if usage.reasoningTokens > 0 { tokens.reasoning.observe(Self.bounded(usage.reasoningTokens)) }
        }
        if let price = context.attempt.routed?.traits.price {
            let counter = series.cost ?? makeCost(series, target, context)
            counter.add(
                price.micros(
                    inputTokens: usage.inputTokens, outputTokens: usage.outputTokens,
                    cachedInputTokens: usage.cachedInputTokens))
        }
    }

    private static func bounded(_ tokens: Int) -> Int { min(max(tokens, 0), tokensMax) }

    private func count(_ source: Source) { sources[source.rawValue].add() }

    private func makeTokens(
        _ series: ServedSeries, _ target: TargetState, _ context: RequestContext
    ) -> ServedSeries.Tokens {
        let values = [
            context.operation?.rawValue ?? "", target.id.provider, label(context.model, context),
            label(target.id.model, context), label(context.attempt.answeredBy, context),
        ]
        func cell(_ type: String) -> HistogramCell {
            metrics.registry.histogramCell(metrics.tokens, values + [type], in: shard)
        }
        let tokens = ServedSeries.Tokens(
            input: cell("input"), output: cell("output"), cached: cell("cached_input"),
            cacheWrite: cell("cache_creation_input"), reasoning: cell("reasoning"))
        series.tokens = tokens
        return tokens
    }

    private func makeEstimated(
        _ series: ServedSeries, _ target: TargetState, _ context: RequestContext
    ) -> (input: CounterCell, output: CounterCell) {
        func cell(_ type: String) -> CounterCell {
            metrics.registry.counterCell(metrics.estimatedTokens, place(target, context) + [type], in: shard)
        }
        let cells = (input: cell("input"), output: cell("output"))
        series.estimated = cells
        return cells
    }

    private func makeCost(_ series: ServedSeries, _ target: TargetState, _ context: RequestContext) -> CounterCell {
        let cell = metrics.registry.counterCell(metrics.cost, place(target, context), in: shard)
        series.cost = cell
        return cell
    }

    private func place(_ target: TargetState, _ context: RequestContext) -> [String] {
        [target.id.provider, label(target.id.model, context)]
    }
}
