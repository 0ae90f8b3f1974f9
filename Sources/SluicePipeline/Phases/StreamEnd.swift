internal import SluiceCore
internal import SluiceDownstream

/// How streams end.
enum StreamEnd {
    /// Ends one that cannot be completed with an honest last event, and closes so that the end is not taken for a proper one.
    static func fail(_ context: RequestContext, _ rejection: Rejection) {
        if context.exchange.isAbandoned { return context.exchange.abort() }
        context.outcome = .truncated
        context.exchange.send(ErrorReply.event(rejection, context).span)
        context.exchange.abortAfterSending()
    }

    /// For the log: why a stream ended; `nil` if there was none.
    static func reason(_ context: RequestContext) -> StaticString? {
        if !context.isInStream { return nil }
        if context.exchange.isAbandoned { return "client_abort" }
        switch context.rejection?.code {
        case nil: return context.outcome == .complete ? "complete" : "truncated"
        case "upstream_idle_timeout": return "idle"
        case "total_timeout": return "budget"
        default: return "truncated"
        }
    }
}
