internal import SluiceHTTP
internal import SluicePolicy
internal import SluiceUpstream

/// What went wrong with a request, in a closed set of words that begin with whose doing it is: `caller_`, `policy_`, `provider_` or
/// `gateway_`. Empty: nothing did.
enum ErrorType {
    static let none = ""

    static func of(_ context: RequestContext) -> String {
        if context.outcome == .clientGone { return "caller_gone" }
        if let rejection = context.rejection {
            // A provider's code is the provider's own word.
            if rejection.owner == .provider { return of(failure(context)) }
            return "\(rejection.owner.rawValue)_\(rejection.code)"
        }
        switch context.outcome {
        case .providerError, .truncated: return of(failure(context))
        case .complete, .rejected, .clientGone, .degraded: return none
        }
    }

    static func of(_ kind: FailureClass?) -> String {
        guard let kind else { return none }
        switch kind {
        case .caller, .contextLength: return "caller_\(kind.rawValue)"
        case .contentPolicy: return "policy_\(kind.rawValue)"
        case .busy, .deadline, .cancelled, .outrun, .token, .tooLarge: return "gateway_\(kind.rawValue)"
        default: return "provider_\(kind.rawValue)"
        }
    }

    private static func failure(_ context: RequestContext) -> FailureClass {
        if let last = context.tried.last?.kind { return last }
        if let fault = context.attempt.fault { return FailureClass(fault) }
        if let status = context.attempt.upstreamStatus, status.code >= 400 { return FailureClass(status) }
        return context.outcome == .truncated ? .truncated : .serverError
    }
}
