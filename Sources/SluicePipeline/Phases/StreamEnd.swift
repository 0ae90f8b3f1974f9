internal import SluiceCore
internal import SluiceDownstream
internal import SluicePolicy

/// How streams end.
enum StreamEnd {
    /// Ends one that cannot be completed with an honest last event, and closes so that the end is not taken for a proper one.
    static func fail(_ context: RequestContext, _ rejection: Rejection) {
        if context.exchange.isAbandoned { return context.exchange.abort() }
        context.outcome = .truncated
        context.exchange.send(ErrorReply.event(rejection, context).span)
        context.exchange.abortAfterSending()
    }

    /// Why a stream ended; `nil` if there was none.
    static func reason(_ context: RequestContext) -> StreamCounts.End? {
        if !context.isInStream { return nil }
        if context.exchange.isAbandoned { return .clientAbort }
        switch context.rejection?.code {
        case nil: return context.outcome == .complete ? .complete : .truncated
        case "upstream_idle_timeout": return .idle
        case "total_timeout": return .budget
        default: return .truncated
        }
    }

    /// Counts how it ended. To be called once, when the exchange is over.
    static func count(_ context: RequestContext) {
        guard let reason = reason(context) else { return }
        let counts = context.snapshot.lasting.streams
        counts.count(reason)
        if let rescue = context.rescue, rescue.step != nil { counts.count(rescue.result ?? .failed) }
    }
}

extension StreamCounts.End {
    /// As the log has it.
    var name: StaticString {
        switch self {
        case .complete: "complete"
        case .truncated: "truncated"
        case .clientAbort: "client_abort"
        case .idle: "idle"
        case .budget: "budget"
        }
    }
}
