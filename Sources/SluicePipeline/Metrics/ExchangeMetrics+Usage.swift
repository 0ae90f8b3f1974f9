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
            if usage.cachedInputTokens > 0 { note(.cached, usage.cachedInputTokens, series, target, context) }
            if usage.cacheWriteInputTokens > 0 { note(.cacheWrite, usage.cacheWriteInputTokens, series, target, context) }
            if usage.reasoningTokens > 0 { note(.reasoning, usage.reasoningTokens, series, target, context) }
        }
        if let price = context.attempt.routed?.traits.price {
            let counter = series.cost ?? makeCost(series, target, context)
            counter.add(
                price.micros(
                    inputTokens: usage.inputTokens, outputTokens: usage.outputTokens,
                    cachedInputTokens: usage.cachedInputTokens))
        }
    }

    private func note(
        _ part: ServedSeries.Tokens.Part, _ count: Int, _ series: ServedSeries, _ target: TargetState, _ context: RequestContext
    ) {
        if let cell = series.tokens?.parts[part.rawValue] {
            cell.observe(Self.bounded(count))
            return
        }
        let cell = tokenCell(part.name, target, context)
        series.tokens?.parts[part.rawValue] = cell
        cell.observe(Self.bounded(count))
    }

    private static func bounded(_ tokens: Int) -> Int { min(max(tokens, 0), tokensMax) }

    private func count(_ source: Source) { sources[source.rawValue].add() }

    private func makeTokens(
        _ series: ServedSeries, _ target: TargetState, _ context: RequestContext
    ) -> ServedSeries.Tokens {
        let tokens = ServedSeries.Tokens(
            input: tokenCell("input", target, context), output: tokenCell("output", target, context))
        series.tokens = tokens
        return tokens
    }

    private func tokenCell(_ type: String, _ target: TargetState, _ context: RequestContext) -> HistogramCell {
        let values = [
            context.operation?.rawValue ?? "", target.id.provider, label(context.model, context),
            label(target.id.model, context), label(context.attempt.answeredBy, context), type,
        ]
        return metrics.registry.histogramCell(metrics.tokens, values, in: shard)
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
