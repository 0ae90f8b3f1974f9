internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders

/// What is done exactly once on every way out of an exchange: limits get what was really used, and the log its line.
final class Settlement {
    private let log: LogQueue
    private let line = ByteBuffer(capacity: 1024)
    private let recorder = Recorder()
    private var timestamps = Timestamp.Cache()
    /// How much of an error's message is logged: a provider may have written it.
    private static let messageBytesMax = 1024

    init(log: LogQueue) { self.log = log }

    func settle(_ context: RequestContext, at end: Instant) {
        // Whoever left an exchange open, it does not stay so.
        if !context.exchange.isFinished { context.exchange.abort() }
        context.attempt.upstream = nil
        if context.exchange.isAbandoned {
            context.outcome = .clientGone
        } else if context.rejection != nil, context.outcome == .complete {
            context.outcome = .rejected
        }
        if context.limits != nil { settleLimits(context) }
        if context.isInvocation, context.snapshot.records != nil { recorder.record(context, at: end) }
        if context.snapshot.logsExchanges, LogLevel.info >= log.level { write(context, at: end) }
    }

    private func settleLimits(_ context: RequestContext) {
        context.settleLimits { rule, percent, values in
            log.event(.warn, "budget has reached a mark") { LimitEvents.write(rule, percent, values, $0) }
        }
    }

    private func write(_ context: RequestContext, at end: Instant) {
        let line = line
        line.removeAll()
        let exchange = context.exchange
        let entry = LogLine(
            .info, "exchange", unixNanoseconds: EventLoop.readWallClock(), through: &timestamps, into: line)
        entry.field("http.request.id", context.requestID)
        if let trace = context.trace { Self.write(trace, entry) }
        entry.field("http.request.method", constant: exchange.head.method.name)
        entry.field("url.path", constant: context.route)
        entry.field(
            "http.version",
            constant: exchange.head.version == .http2 ? "2" : exchange.head.version == .http11 ? "1.1" : "1.0")
        entry.field("http.response.status_code", context.outcome == .clientGone ? 499 : Int(context.status.code))
        entry.field("event.outcome", context.outcome.rawValue)
        entry.field("event.duration", Int((end - exchange.startedAt).nanoseconds))
        entry.field("client.address", exchange.peer.host)
        if context.snapshot.access != nil { writePrincipal(context, entry) }
        if !context.model.isEmpty { entry.field("gen_ai.request.model", context.model) }
        if let provider = context.attempt.provider {
            entry.field("gen_ai.provider.name", provider.name)
            if context.attempt.upstreamModel != context.model { entry.field("sluice.upstream.model", context.attempt.upstreamModel) }
            entry.field("sluice.upstream.attempts", context.attempts)
        }
        if !context.tried.isEmpty { entry.field("sluice.attempts", Self.story(context)) }
        writeRoute(context, entry)
        if let status = context.attempt.upstreamStatus { entry.field("sluice.upstream.status_code", Int(status.code)) }
        if let reason = context.keyReason { entry.field("sluice.key.set_aside", reason.rawValue) }
        if let id = context.attempt.upstreamRequestID { entry.field("sluice.upstream.request_id", id) }
        if let latency = context.attempt.latency { entry.field("sluice.upstream.head_ms", milliseconds: latency) }
        if let first = context.firstByteAt {
            entry.field("sluice.first_byte_ms", milliseconds: first - exchange.startedAt)
        }
        if let wait = context.queueTime { entry.field("sluice.queue_ms", milliseconds: wait) }
        if let name = context.snapshot.concurrency?.priorities.name(rank: context.rank) {
            entry.field("sluice.priority", name)
        }
        if let kind = context.degraded { entry.field("sluice.degraded", kind.rawValue) }
        if context.isStream { entry.field("sluice.stream", true) }
        writeStream(context, entry)
        if !context.attempt.report.lost.isEmpty {
            entry.field("sluice.request.lost_fields", context.attempt.report.lost.joined(separator: ", "))
        }
        if !context.attempt.report.adapted.isEmpty {
            entry.field("sluice.request.adapted_fields", context.attempt.report.adapted.joined(separator: ", "))
        }
        entry.field("http.request.body.bytes", exchange.receivedByteCount)
        entry.field("http.response.body.bytes", exchange.sentByteCount)
        if context.cacheTurn != nil || context.idempotentTurn != nil { writeCache(context, entry) }
        writeUsage(context, entry)
        if let rejection = context.rejection {
            entry.field("error.code", rejection.code)
            let message = rejection.message.utf8Span.span
            entry.field("error.message", message.extracting(0..<min(message.count, Self.messageBytesMax)))
            entry.field("sluice.error.owner", rejection.owner.rawValue)
            if let limit = context.refusingLimit { entry.field("sluice.limit.name", limit) }
        } else if context.outcome == .providerError, let fault = context.attempt.fault {
            let message = fault.message.utf8Span.span
            if let code = fault.code { entry.field("error.code", code) }
            entry.field("error.message", message.extracting(0..<min(message.count, Self.messageBytesMax)))
        }
        entry.end()
        log.append(line.span)
    }

    private static func write(_ trace: ExchangeTrace, _ entry: borrowing LogLine) {
        let (traceDigits, spanDigits) = (trace.traceID.digits, trace.spanID.digits)
        entry.field("trace.id", traceDigits.span)
        entry.field("span.id", spanDigits.span)
    }

    private func writePrincipal(_ context: RequestContext, _ entry: borrowing LogLine) {
        if let refusal = context.refusal { return entry.field("sluice.access.refused", refusal.rawValue) }
        // Refused before anybody looked.
        if context.principal === Principal.nobody { return }
        entry.field("sluice.principal", context.principal.id)
        if let user = context.principal.user { entry.field("user.id", user) }
        if let team = context.principal.team { entry.field("sluice.team", team) }
    }

    private func writeStream(_ context: RequestContext, _ entry: borrowing LogLine) {
        if let reason = StreamEnd.reason(context) { entry.field("sluice.stream.end", constant: reason.name) }
        guard let rescue = context.rescue, let step = rescue.step else { return }
        entry.field("sluice.rescue.kind", step.way.rawValue)
        entry.field("sluice.rescue.result", (rescue.result ?? .failed).rawValue)
        entry.field("sluice.rescue.attempts", rescue.requestCount)
    }

    /// The attempts in order: those that failed, and how the last one ended.
    private static func story(_ context: RequestContext) -> String {
        var parts = context.tried.map(\.text)
        if context.rejection == nil, context.outcome == .complete, let provider = context.attempt.provider {
            parts.append("\(provider.name)/\(context.attempt.upstreamModel) ok")
        }
        return parts.joined(separator: "; ")
    }

    /// How it came to its target, where there was a choice.
    private func writeRoute(_ context: RequestContext, _ entry: borrowing LogLine) {
        guard let route = context.plan.route else { return }
        if !route.model.isEmpty, route.model != context.model { entry.field("sluice.route.model", route.model) }
        if let rule = context.plan.rule { entry.field("sluice.route.rule", rule) }
        if context.plan.targets.count > 1 { entry.field("sluice.route.strategy", route.strategy.rawValue) }
        if let target = context.attempt.routed, target.model != route.model {
            entry.field("sluice.route.fallback", target.model.isEmpty ? target.upstreamModel : target.model)
        }
    }

    private func writeCache(_ context: RequestContext, _ entry: borrowing LogLine) {
        if let turn = context.cacheTurn {
            entry.field("sluice.cache.state", turn.state.rawValue)
            if let level = turn.level { entry.field("sluice.cache.level", level.rawValue) }
            if let key = turn.key {
                let digits = key.prefixDigits
                entry.field("sluice.cache.key", digits.span)
            }
        }
        if let turn = context.idempotentTurn { entry.field("sluice.idempotency.state", turn.state.rawValue) }
        if context.isCacheHit { entry.field("sluice.usage.source", "cache") }
    }

    private func writeUsage(_ context: RequestContext, _ entry: borrowing LogLine) {
        // Where nobody went on with a stream, what those who tried before have cost is all there is.
        if let usage = context.attempt.usage ?? context.rescue?.spent {
            entry.field(
                "sluice.usage.source", usage.isEstimated ? "estimated" : context.drain == nil ? "provider" : "drained")
            entry.field("gen_ai.usage.input_tokens", usage.inputTokens)
            entry.field("gen_ai.usage.output_tokens", usage.outputTokens)
            if usage.cachedInputTokens > 0 {
                entry.field("gen_ai.usage.cache_read.input_tokens", usage.cachedInputTokens)
            }
            if usage.reasoningTokens > 0 { entry.field("gen_ai.usage.reasoning.output_tokens", usage.reasoningTokens) }
        } else if context.hasContentOut, context.operation?.hasStreamOptions == true {
            entry.field("sluice.usage.source", "unknown")
        }
        if context.malformedEvents > 0 { entry.field("sluice.stream.malformed_events", context.malformedEvents) }
    }
}
