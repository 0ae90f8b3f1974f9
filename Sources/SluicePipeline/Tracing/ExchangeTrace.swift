package import SluiceCore
internal import SluiceHTTP

/// The trace that an exchange belongs to.
package struct ExchangeTrace: Sendable {
    package let traceID: TraceID
    /// Of the exchange as a whole.
    package let spanID: SpanID
    /// The caller's; `nil`: the trace begins here.
    package let parentID: SpanID?
    /// Its spans are exported, and others are told that they are.
    package let isSampled: Bool
    /// What other systems have to say of it; `nil`: nothing.
    package let state: String?
    /// Attempts that have begun.
    private var attemptCount = 0

    init(_ traceID: TraceID, _ spanID: SpanID, parent: SpanID?, isSampled: Bool, state: String?) {
        self.traceID = traceID
        self.spanID = spanID
        parentID = parent
        self.isSampled = isSampled
        self.state = state
    }

    /// The span of an attempt that begins.
    mutating func beginAttempt() -> SpanID {
        attemptCount += 1
        return spanID.child(attemptCount)
    }
}

extension TraceSettings {
    /// The trace of a request that begins: its caller's, or a new one.
    func begin(_ fields: borrowing HeaderFields, using random: inout SplitMix64) -> ExchangeTrace {
        let parent = Self.parent(fields)
        let traceID = parent?.traceID ?? TraceID(using: &random)
        let isSampled = parent.flatMap { followsParents ? $0.isSampled : nil } ?? samples(traceID)
        return ExchangeTrace(
            traceID, SpanID(using: &random), parent: parent?.spanID, isSampled: isSampled,
            state: parent == nil ? nil : Self.state(fields))
    }

    /// Two fields are as good as none: nobody knows which of them counts.
    private static func parent(_ fields: borrowing HeaderFields) -> TraceParent? {
        guard let index = fields.index(of: .traceparent), fields.index(of: .traceparent, from: index + 1) == nil else {
            return nil
        }
        let value = fields.value(at: index)
        return TraceParent(value.extracting(value.trimmingOptionalWhitespace()))
    }

    private static func state(_ fields: borrowing HeaderFields) -> String? {
        var position = fields.index(of: .tracestate)
        if position == nil { return nil }
        var state = TraceState()
        while let index = position {
            state.add(fields.value(at: index))
            position = fields.index(of: .tracestate, from: index + 1)
        }
        return state.text
    }
}

extension RequestContext {
    /// Tells a provider which trace its request belongs to: the step that sends it is our attempt.
    func appendTrace(to fields: inout HeaderFields) {
        guard let trace, let spanID = attempt.spanID, snapshot.tracing?.propagates == true,
            !fields.contains(.traceparent)
        else { return }
        let text = TraceParent(trace.traceID, spanID, isSampled: trace.isSampled).text
        fields.append(.traceparent, text.span)
        if let state = trace.state { fields.append(.tracestate, state) }
    }

    /// Tells the application under which trace to look.
    func appendTraceOfReply(to fields: inout HeaderFields) {
        guard let trace, snapshot.tracing?.tellsApplications == true else { return }
        let text = TraceParent(trace.traceID, trace.spanID, isSampled: trace.isSampled).text
        fields.append(.traceparent, text.span)
    }
}
