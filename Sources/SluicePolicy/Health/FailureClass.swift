/// Why an attempt gave no answer, as far as it matters for what is done next. Every failure is one of these.
package enum FailureClass: String, Sendable, CaseIterable {
    // Surely nothing of the request was processed.

    /// No connection: name, address, egress proxy or TLS.
    case connect
    /// Our own connections to the provider are all in use.
    case busy
    /// No token was to be had for the credential.
    case token

    // The provider may have begun to work on it.

    /// The connection broke before the response's head.
    case closed
    /// No head, or no first content, within its time.
    case timeout
    /// The answer stopped coming.
    case stalled
    /// The answer broke off.
    case truncated
    /// The answer is not what it should be.
    case malformed
    /// The answer is longer than is accepted here.
    case tooLarge = "too_large"
    /// 5xx, or an error within a reply with status 200.
    case serverError = "server_error"
    /// 503, 529, and what else means that there is too much to do.
    case overloaded
    /// 408, 409 and 425: the same request may well succeed in a moment.
    case transient

    // The provider has looked at the request and will not answer it.

    /// 429: too fast for this key and model.
    case rateLimited = "rate_limited"
    /// Nothing is left to spend with this key.
    case quota
    /// 401: the key is no good.
    case keyRefused = "key_refused"
    /// 403: the key is good, but not for this.
    case forbidden
    /// The provider does not have the model.
    case modelMissing = "model_missing"
    /// More tokens than the model takes.
    case contextLength = "context_length"
    /// Refused for what it says.
    case contentPolicy = "content_policy"
    /// Any other 4xx: the request is wrong.
    case caller

    // Nobody's failure.

    /// The exchange's whole time is over.
    case deadline
    /// The application has gone, or the process ends.
    case cancelled
    /// Another attempt was faster.
    case outrun
}

extension FailureClass {
    /// How a breaker takes it. What callers, keys, limits and we ourselves bring about says nothing of the target's health.
    package var speaksAgainstTarget: Bool {
        switch self {
        case .connect, .closed, .timeout, .stalled, .truncated, .malformed, .serverError, .overloaded: true
        case .busy, .token, .tooLarge, .transient, .rateLimited, .quota, .keyRefused, .forbidden, .modelMissing,
            .contextLength, .contentPolicy, .caller, .deadline, .cancelled, .outrun:
            false
        }
    }

    /// The target has answered, in whatever words: it is alive.
    package var provesTargetAlive: Bool {
        switch self {
        case .transient, .rateLimited, .quota, .keyRefused, .forbidden, .modelMissing, .contextLength, .contentPolicy,
            .caller:
            true
        default: false
        }
    }

    /// The provider has declined before it did any work: the request may be sent again even if it must not be done twice.
    package var isRefusal: Bool {
        switch self {
        case .rateLimited, .quota, .keyRefused, .forbidden: true
        default: false
        }
    }

    /// Whether the very same request may succeed at the very same target a moment later.
    package var mayPass: Bool {
        switch self {
        case .connect, .token, .closed, .timeout, .stalled, .truncated, .malformed, .serverError, .overloaded,
            .transient, .rateLimited:
            true
        case .busy, .tooLarge, .quota, .keyRefused, .forbidden, .modelMissing, .contextLength, .contentPolicy, .caller,
            .deadline, .cancelled, .outrun:
            false
        }
    }

    /// Whether another target may do better.
    package var mayPassElsewhere: Bool {
        switch self {
        case .caller, .deadline, .cancelled, .outrun: false
        default: true
        }
    }

    /// How much an application can do with the error: of several attempts' errors the most telling one is told, of equals the last.
    package var telling: Int {
        switch self {
        case .outrun, .cancelled: 0
        case .connect, .busy, .token, .closed, .timeout, .stalled, .truncated, .malformed, .tooLarge, .deadline: 1
        case .serverError, .overloaded, .transient, .keyRefused, .forbidden, .modelMissing: 2
        case .rateLimited, .quota: 3
        case .contextLength, .contentPolicy, .caller: 4
        }
    }
}
