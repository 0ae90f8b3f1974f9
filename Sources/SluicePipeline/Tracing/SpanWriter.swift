internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluicePolicy
internal import SluiceProviders
internal import SluiceUpstream

/// Writes the spans of one exchange (opentelemetry/proto/trace/v1/trace.proto), each as the field `spans` of a `ScopeSpans`.
///
/// Names of attributes are those of OpenTelemetry's conventions for HTTP and GenAI; what those lack begins with `sluice.`.
struct SpanWriter {
    /// `Span.SpanKind`.
    enum Kind: UInt64 { case server = 2, client = 3 }

    let context: RequestContext
    let trace: ExchangeTrace
    /// Of the exchange.
    let error: String
    let facts: ReplyFacts?
    let proto: ProtobufWriter
    let now: Instant
    /// At `now`, in nanoseconds since 1970.
    let wallClock: Int64
    /// Of a model's name that a caller has chosen, in a span's name.
    private static let nameByteCountMax = 128
    /// `ScopeSpans.spans` and `Span.attributes`.
    private static let spans = 2
    static let attributes = 9

    init(
        _ context: RequestContext, _ trace: ExchangeTrace, _ error: String, _ facts: ReplyFacts?,
        into proto: ProtobufWriter, now: Instant, wallClock: Int64
    ) {
        self.context = context
        self.trace = trace
        self.error = error
        self.facts = facts
        self.proto = proto
        self.now = now
        self.wallClock = wallClock
    }

    func writeAll() {
        writeExchange()
        for (index, tried) in context.tried.enumerated() { write(tried, index) }
        if hasLastAttempt { writeLastAttempt() }
    }

    var spanCount: Int { 1 + context.tried.count { $0.spanID != nil } + (hasLastAttempt ? 1 : 0) }

    /// The context's attempt, unless it is among those that failed, or never left.
    var hasLastAttempt: Bool {
        let attempt = context.attempt
        guard attempt.sentUpstreamAt != nil, let id = attempt.spanID else { return false }
        return !context.tried.contains { $0.spanID == id }
    }

    // MARK: Parts

    func unix(_ instant: Instant) -> UInt64 { UInt64(clamping: wallClock - (now - instant).nanoseconds) }

    private func name(_ model: String) -> String {
        let operation = context.operation?.rawValue ?? ""
        if model.isEmpty { return operation }
        return operation + " " + (model.utf8.count <= Self.nameByteCountMax ? model : String(model.prefix(64)) + "…")
    }

    private func span(
        _ id: SpanID, parent: SpanID?, _ name: String, _ kind: Kind, from start: Instant, to end: Instant,
        _ body: (ProtobufWriter) -> Void
    ) {
        let isRemote = kind == .server && parent != nil
        proto.message(Self.spans) { span in
            let (traceBytes, spanBytes) = (trace.traceID.bytes, id.bytes)
            span.bytes(1, traceBytes.span)
            span.bytes(2, spanBytes.span)
            if let state = trace.state { span.string(3, state) }
            if let parent {
                let bytes = parent.bytes
                span.bytes(4, bytes.span)
            }
            span.string(5, name)
            span.unsigned(6, kind.rawValue)
            span.fixed64(7, unix(start))
            span.fixed64(8, unix(max(start, end)))
            body(span)
            // SpanFlags: those of the trace, and whether it is known that the parent is elsewhere.
            span.fixed32(16, (trace.isSampled ? 1 : 0) | 0x100 | (isRemote ? 0x200 : 0))
        }
    }

    static func fail(_ span: ProtobufWriter, _ message: String) {
        span.message(15) { status in
            status.string(2, message)
            status.unsigned(3, 2)  // STATUS_CODE_ERROR
        }
    }

    // MARK: The exchange

    private func writeExchange() {
        let start = context.exchange.startedAt
        span(trace.spanID, parent: trace.parentID, name(context.model), .server, from: start, to: now) { span in
            writeRequest(span)
            if !context.model.isEmpty { span.attribute(Self.attributes, "gen_ai.request.model", context.model) }
            if let provider = context.attempt.provider, !context.isCacheHit {
                span.attribute(Self.attributes, "gen_ai.provider.name", provider.name)
            }
            writeAnswer(span, since: start)
            writePolicies(span)
            writeBodies(span)
            writeEvents(span)
            // A server's span fails for what is its own doing (OpenTelemetry's conventions for HTTP): not for what callers get wrong.
            let isOurs = context.status.code >= 500 || context.outcome == .truncated || context.outcome == .providerError
            if isOurs, !error.hasPrefix("caller_") { Self.fail(span, context.rejection?.code ?? error) }
        }
    }

    private func writeRequest(_ span: ProtobufWriter) {
        let exchange = context.exchange
        span.attribute(Self.attributes, "gen_ai.operation.name", context.operation?.rawValue ?? "")
        span.attribute(Self.attributes, "http.request.method", constant: exchange.head.method.name)
        span.attribute(Self.attributes, "http.route", constant: context.route)
        span.attribute(
            Self.attributes, "http.response.status_code", context.outcome == .clientGone ? 499 : Int(context.status.code))
        span.attribute(
            Self.attributes, "network.protocol.version",
            constant: exchange.head.version == .http2 ? "2" : exchange.head.version == .http11 ? "1.1" : "1.0")
        span.attribute(Self.attributes, "client.address", exchange.peer.host)
        span.attribute(Self.attributes, "sluice.request.id", context.requestID)
        if context.snapshot.access != nil, context.refusal == nil, context.principal !== Principal.nobody {
            span.attribute(Self.attributes, "sluice.principal", context.principal.id)
            if let team = context.principal.team { span.attribute(Self.attributes, "sluice.team", team) }
        }
        if !error.isEmpty { span.attribute(Self.attributes, "error.type", error) }
    }

    /// What the answer is, as far as there is one.
    func writeAnswer(_ span: ProtobufWriter, since start: Instant) {
        if context.isStream { span.attribute(Self.attributes, "gen_ai.request.stream", true) }
        if context.isInStream, let first = context.firstByteAt {
            span.attribute(Self.attributes, "gen_ai.response.time_to_first_chunk", seconds: first - start)
        }
        if let id = facts?.id { span.attribute(Self.attributes, "gen_ai.response.id", id) }
        if let model = facts?.model { span.attribute(Self.attributes, "gen_ai.response.model", model) }
        if let reasons = facts?.finishReasons, !reasons.isEmpty {
            span.attribute(Self.attributes, "gen_ai.response.finish_reasons", reasons)
        }
        if !context.isCacheHit, let usage = context.attempt.usage { Self.write(usage, span) }
    }

    /// What was counted by the provider; what was not is no usage by the conventions' rules.
    static func write(_ usage: Usage, _ span: ProtobufWriter) {
        if usage.isEstimated {
            span.attribute(attributes, "sluice.usage.estimated.input_tokens", usage.inputTokens)
            span.attribute(attributes, "sluice.usage.estimated.output_tokens", usage.outputTokens)
            return
        }
        span.attribute(attributes, "gen_ai.usage.input_tokens", usage.inputTokens)
        span.attribute(attributes, "gen_ai.usage.output_tokens", usage.outputTokens)
        if usage.cachedInputTokens > 0 {
            span.attribute(attributes, "gen_ai.usage.cache_read.input_tokens", usage.cachedInputTokens)
        }
        if usage.cacheWriteInputTokens > 0 {
            span.attribute(attributes, "gen_ai.usage.cache_creation.input_tokens", usage.cacheWriteInputTokens)
        }
        if usage.reasoningTokens > 0 {
            span.attribute(attributes, "gen_ai.usage.reasoning.output_tokens", usage.reasoningTokens)
        }
    }

    private func writeBodies(_ span: ProtobufWriter) {
        guard let notes = context.spanNotes else { return }
        if let text = notes.requestText { span.attribute(Self.attributes, "sluice.request.body", text) }
        if let text = notes.replyText { span.attribute(Self.attributes, "sluice.response.body", text) }
    }
}

// MARK: Attempts

extension SpanWriter {
    private func write(_ tried: TriedAttempt, _ index: Int) {
        guard let id = tried.spanID else { return }
        let provider = context.snapshot.providers[tried.provider]
        span(id, parent: trace.spanID, name(tried.model), .client, from: tried.startedAt, to: tried.startedAt + tried.took) {
            span in
            writeAttempt(span, tried.provider, provider, tried.model, tried.status, index)
            if let key = tried.key { span.attribute(Self.attributes, "sluice.key.number", key + 1) }
            if let usage = tried.usage { Self.write(usage, span) }
            let error = ErrorType.of(tried.kind)
            span.attribute(Self.attributes, "error.type", error)
            if tried.kind != .outrun, tried.kind != .cancelled { Self.fail(span, tried.kind.rawValue) }
        }
    }

    private func writeLastAttempt() {
        let attempt = context.attempt
        guard let id = attempt.spanID, let provider = attempt.provider else { return }
        span(id, parent: trace.spanID, name(attempt.upstreamModel), .client, from: attempt.startedAt, to: now) { span in
            writeAttempt(span, provider.name, provider, attempt.upstreamModel, attempt.upstreamStatus, context.tried.count)
            if let key = attempt.key { span.attribute(Self.attributes, "sluice.key.number", key + 1) }
            if let id = attempt.upstreamRequestID { span.attribute(Self.attributes, "sluice.upstream.request_id", id) }
            writeAnswer(span, since: attempt.startedAt)
            if !error.isEmpty { span.attribute(Self.attributes, "error.type", error) }
            if context.outcome == .providerError || context.outcome == .truncated { Self.fail(span, error) }
        }
    }

    private func writeAttempt(
        _ span: ProtobufWriter, _ name: String, _ provider: Provider?, _ model: String, _ status: Status?, _ index: Int
    ) {
        span.attribute(Self.attributes, "gen_ai.operation.name", context.operation?.rawValue ?? "")
        span.attribute(Self.attributes, "gen_ai.provider.name", name)
        if !model.isEmpty { span.attribute(Self.attributes, "gen_ai.request.model", model) }
        if let endpoint = provider?.endpoint {
            span.attribute(Self.attributes, "server.address", endpoint.host)
            span.attribute(Self.attributes, "server.port", Int(endpoint.port))
        }
        if let status { span.attribute(Self.attributes, "http.response.status_code", Int(status.code)) }
        if index > 0 { span.attribute(Self.attributes, "http.request.resend_count", index) }
    }
}
