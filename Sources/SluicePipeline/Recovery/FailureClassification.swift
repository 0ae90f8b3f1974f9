internal import SluiceDownstream
internal import SluiceHTTP
internal import SluicePolicy
internal import SluiceProviders
internal import SluiceUpstream

extension FailureClass {
    /// - Parameter fault: what the provider said, for an error that is its own report.
    init(_ error: UpstreamError, _ fault: ProviderFault?) {
        switch error.reason {
        case .name, .connect, .connectTimeout, .proxy, .tls: self = .connect
        case .poolExhausted: self = .busy
        case .closedBeforeHead: self = .closed
        case .closedInBody: self = .truncated
        case .malformed: self = .malformed
        case .headTimeout: self = .timeout
        case .idleTimeout: self = .stalled
        case .totalTimeout: self = .deadline
        case .tooLarge: self = .tooLarge
        case .token: self = .token
        case .tokenRefused: self = .keyRefused
        case .shutdown, .cancelled: self = .cancelled
        case .reported: self = fault.map(Self.init) ?? .serverError
        }
    }

    /// - Parameter fault: in OpenAI's words, as every dialect's reader gives it.
    init(_ fault: ProviderFault) {
        if let code = fault.code, let known = Self.codes[code] {
            self = known
            return
        }
        switch fault.key {
        case .refused: self = .keyRefused
        case .exhausted: self = .quota
        case .fine:
            let isSpent = fault.status == 402 || fault.type == "insufficient_quota"
            self = isSpent ? .quota : Self(fault.status)
        }
    }

    /// Codes that say more than the status: providers disagree on that.
    private static let codes: [String: FailureClass] = [
        "context_length_exceeded": .contextLength, "string_above_max_length": .contextLength,
        "content_filter": .contentPolicy, "content_policy_violation": .contentPolicy,
        "moderation_blocked": .contentPolicy, "ResponsibleAIPolicyViolation": .contentPolicy,
        "model_not_found": .modelMissing, "insufficient_quota": .quota,
        "overloaded": .overloaded, "server_is_overloaded": .overloaded,
    ]

    /// An error of which only the status is known.
    init(_ status: Status) {
        switch status.code {
        case 401: self = .keyRefused
        case 402: self = .quota
        case 403: self = .forbidden
        case 408, 409, 425: self = .transient
        case 429: self = .rateLimited
        case 503, 529: self = .overloaded
        case 500...: self = .serverError
        default: self = .caller
        }
    }

    /// What it is for an exchange: an application that has gone, or gave no whole request, is nobody else's failure.
    static func of(_ error: UpstreamError, _ context: RequestContext) -> FailureClass {
        if context.abandonedLead == nil, context.exchange.downstreamFailure != nil { return .cancelled }
        let kind = FailureClass(error, context.attempt.fault)
        switch kind {
        // Whoever shows a credential of their own that is no good does not get ours instead, anywhere.
        case .keyRefused, .forbidden, .quota: return context.showsOwnCredential ? .caller : kind
        default: return kind
        }
    }
}

extension RequestContext {
    /// Whether the attempt showed the application's credential in place of one of ours.
    var showsOwnCredential: Bool { attempt.key == nil && attempt.provider.map(forwardsCredential) == true }

    /// Whether the provider is shown what the application shows: never what it has shown Sluice.
    func forwardsCredential(to provider: Provider) -> Bool {
        provider.forwardsAuthorization && principal.kind == .local
    }

    /// Whether doing it twice has no effect but its price (theme 3.24).
    var isSafeToRepeat: Bool {
        switch operation {
        case .chatCompletions, .completions, .embeddings, .responses, .moderations, .models: true
        case .passage, .none: exchange.head.method == .get || exchange.head.method == .head
        case .images, .audioSpeech, .audioTranscription: false
        }
    }
}
