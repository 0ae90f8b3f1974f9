internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet

/// What a request is told that nobody can be asked for now: the one place where it is given up without an attempt.
enum Unavailability {
    /// - Parameter unavailable: why none of the plan's targets takes it.
    static func rejection(_ unavailable: CandidateChoice.Unavailable, _ context: RequestContext) -> Rejection {
        let now = context.exchange.loop.now
        let soonest = [unavailable.opening, unavailable.breaker].compactMap { $0 }.min() ?? now
        let wait = max(soonest - now, .zero)
        let seconds = Rejection.seconds(wait)
        if unavailable.isLimited {
            return Rejection(
                .provider, 429, type: "requests", code: "rate_limit_exceeded",
                "Whoever could answer \"\(context.model)\" wants to be left alone for another \(seconds) s.",
                isRetryable: true, retryAfter: wait)
        }
        return Rejection(
            .provider, 503, type: "api_error", code: "circuit_open",
            "Whoever could answer \"\(context.model)\" has failed too often or wants to be left alone, and is asked again in \(seconds) s (breakers).",
            isRetryable: true, retryAfter: wait)
    }
}
