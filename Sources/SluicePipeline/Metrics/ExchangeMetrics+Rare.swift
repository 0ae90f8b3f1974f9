internal import SluiceCore
internal import SluiceDownstream
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders
internal import SluiceStorage

/// What most requests do not have.
extension ExchangeMetrics {
    /// A second attempt was made beside a first one.
    func noteHedge(_ result: String) { add(metrics.hedges, result) }

    /// A provider would have nothing to do with a key.
    func noteKey(_ key: Int, _ reason: KeyRing.Reason, _ context: RequestContext) {
        add(metrics.keysRefused, context.attempt.provider?.name ?? "", "\(key + 1)", reason.rawValue)
    }

    func noteRare(_ context: RequestContext) {
        if let turn = context.cacheTurn { noteCache(turn, context) }
        if let wait = context.queueTime {
            queueTimes[context.queueOutcome.rawValue].observe(Int(wait.nanoseconds))
        }
        if let kind = context.degraded { add(metrics.degraded, kind.rawValue) }
        if context.malformedEvents > 0 { add(metrics.malformedEvents, count: context.malformedEvents) }
        if !context.attempt.report.lost.isEmpty { noteLosses(context) }
        if !context.tried.isEmpty { noteTried(context) }
    }

    private func noteCache(_ turn: CacheTurn, _ context: RequestContext) {
        let place = turn.state.place * 3 + (turn.level.map { $0 == .memory ? 1 : 2 } ?? 0)
        let counter = cacheStates[place] ?? makeCacheState(turn, at: place)
        counter.add()
        if let served = turn.served {
            cacheAge.observe(Int(served.lifetime.age(at: context.exchange.loop.now).nanoseconds))
        }
    }

    private func makeCacheState(_ turn: CacheTurn, at place: Int) -> CounterCell {
        let values = [turn.state.rawValue, turn.level?.rawValue ?? ""]
        let counter = metrics.registry.counterCell(metrics.cached, values, in: shard)
        cacheStates[place] = counter
        return counter
    }

    /// Each field once, whatever stands below it.
    private func noteLosses(_ context: RequestContext) {
        guard let provider = context.attempt.provider else { return }
        let from = context.operation == .responses ? "responses" : context.dialect.name
        var told: [String] = []
        for path in context.attempt.report.lost {
            let field = LostField.label(path)
            if told.contains(field) { continue }
            told.append(field)
            add(metrics.losses, field, from, provider.dialect.rawValue)
        }
    }

    private func noteTried(_ context: RequestContext) {
        let wasFollowed = context.attempts > context.tried.count
        for tried in wasFollowed ? context.tried[...] : context.tried.dropLast() {
            add(metrics.retries, tried.provider, tried.kind.rawValue)
        }
        guard context.rejection == nil, let first = context.tried.first, let last = context.attempt.provider,
            first.provider != last.name || first.model != context.attempt.upstreamModel
        else { return }
        func place(_ provider: String, _ model: String) -> String {
            "\(provider)/\(label(model, context))"
        }
        add(
            metrics.fallbacks, place(first.provider, first.model), place(last.name, context.attempt.upstreamModel),
            first.kind.rawValue)
    }
}

/// Fields that requests lose are named by paths, in which applications have a say: a label is the outermost field, if an API has it.
enum LostField {
    private static let known: Set<String> = [
        "audio", "background", "best_of", "cache_control", "container", "context_management", "conversation", "dimensions",
        "echo", "encoding_format", "frequency_penalty", "functions", "function_call", "include", "input", "instructions",
        "logit_bias", "logprobs", "max_completion_tokens", "max_output_tokens", "max_tokens", "max_tool_calls", "mcp_servers",
        "messages", "metadata", "min_p", "modalities", "n", "parallel_tool_calls", "prediction", "presence_penalty",
        "previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_retention", "reasoning", "reasoning_effort",
        "repetition_penalty", "response_format", "safety_identifier", "seed", "service_tier", "stop", "stop_sequences",
        "store", "stream_options", "suffix", "system", "temperature", "text", "thinking", "tool_choice", "tools", "top_k",
        "top_logprobs", "top_p", "truncation", "user", "verbosity", "web_search_options",
    ]

    static func label(_ path: String) -> String {
        let end = path.utf8.firstIndex { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: ".") }
        let name = String(path[..<(end ?? path.endIndex)])
        return known.contains(name) ? name : MetricRegistry.other
    }
}

extension RequestContext.Dialect {
    /// As it is told.
    var name: String {
        switch self {
        case .openAI: "openai"
        case .anthropic: "anthropic"
        case .platform: "platform"
        }
    }
}

extension CacheTurn.State {
    var place: Int {
        switch self {
        case .hit: 0
        case .miss: 1
        case .stale: 2
        case .bypass: 3
        case .joined: 4
        }
    }
}
