internal import SluiceCore
internal import SluicePolicy
internal import SluiceProviders

/// What Sluice has decided on the way, as attributes and events of the exchange's span.
extension SpanWriter {
    func writePolicies(_ span: ProtobufWriter) {
        let field = Self.attributes
        if context.attempts > 0 { span.attribute(field, "sluice.upstream.attempts", context.attempts) }
        if let turn = context.cacheTurn {
            span.attribute(field, "sluice.cache.state", turn.state.rawValue)
            if let level = turn.level { span.attribute(field, "sluice.cache.level", level.rawValue) }
        }
        if let turn = context.idempotentTurn { span.attribute(field, "sluice.idempotency.state", turn.state.rawValue) }
        if let limit = context.refusingLimit, context.rejection != nil {
            span.attribute(field, "sluice.limit.outcome", constant: "refused")
            span.attribute(field, "sluice.limit.name", limit)
        } else if context.limits != nil {
            span.attribute(field, "sluice.limit.outcome", constant: "admitted")
        }
        if let wait = context.queueTime { span.attribute(field, "sluice.queue.duration", seconds: wait) }
        if let rule = context.plan.rule { span.attribute(field, "sluice.route.rule", rule) }
        if let kind = context.degraded { span.attribute(field, "sluice.degraded", kind.rawValue) }
        if let reason = StreamEnd.reason(context) { span.attribute(field, "sluice.stream.end", constant: reason.name) }
        if let rescue = context.rescue, let step = rescue.step {
            span.attribute(field, "sluice.rescue.kind", step.way.rawValue)
            span.attribute(field, "sluice.rescue.result", (rescue.result ?? .failed).rawValue)
        }
        if let cost = context.attempt.costMicros, !context.isCacheHit { span.attribute(field, "sluice.cost.micros", cost) }
    }

    // MARK: Events

    /// In the order in which they happened.
    func writeEvents(_ span: ProtobufWriter) {
        var events: [(at: Instant, write: (ProtobufWriter) -> Void)] = []
        for (index, tried) in context.tried.enumerated() {
            guard let next = attempt(after: index) else { continue }
            events.append((tried.startedAt + tried.took, { Self.write(tried, next, $0) }))
        }
        for event in context.traceEvents { events.append((event.at, { Self.write(event, $0) })) }
        if let reason = StreamEnd.reason(context), reason != .complete {
            events.append((now, { event in
                event.string(2, "sluice.stream.cut")
                event.attribute(Self.eventAttributes, "sluice.stream.end", constant: reason.name)
            }))
        }
        for event in events.sorted(by: { $0.at < $1.at }) {
            span.message(11) { message in
                message.fixed64(1, unix(event.at))
                event.write(message)
            }
        }
    }

    /// `Span.Event.attributes`.
    private static let eventAttributes = 3

    /// Who was asked after an attempt that failed; `nil`: nobody.
    private func attempt(after index: Int) -> (provider: String, model: String)? {
        if index + 1 < context.tried.count {
            let next = context.tried[index + 1]
            return (next.provider, next.model)
        }
        guard hasLastAttempt, let provider = context.attempt.provider else { return nil }
        return (provider.name, context.attempt.upstreamModel)
    }

    private static func write(_ tried: TriedAttempt, _ next: (provider: String, model: String), _ event: ProtobufWriter) {
        let isSame = tried.provider == next.provider && tried.model == next.model
        if tried.kind == .outrun {
            event.string(2, "sluice.hedge")
        } else {
            event.string(2, isSame ? "sluice.retry" : "sluice.fallback")
        }
        event.attribute(eventAttributes, "error.type", ErrorType.of(tried.kind))
        event.attribute(eventAttributes, "sluice.from", "\(tried.provider)/\(tried.model)")
        if !isSame { event.attribute(eventAttributes, "sluice.to", "\(next.provider)/\(next.model)") }
    }

    private static func write(_ traced: TraceEvent, _ event: ProtobufWriter) {
        switch traced.kind {
        case .breakerOpened(let provider, let model):
            event.string(2, "sluice.breaker.opened")
            event.attribute(eventAttributes, "gen_ai.provider.name", provider)
            event.attribute(eventAttributes, "gen_ai.request.model", model)
        case .rescue(let way):
            event.string(2, "sluice.rescue")
            event.attribute(eventAttributes, "sluice.rescue.kind", way.rawValue)
        }
    }
}
