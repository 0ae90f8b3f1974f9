package import SluiceHTTP

/// Why a request gets no answer from a provider, or not the one it asked for. One file turns it into bytes: `ErrorReply`.
package struct Rejection: Error, Sendable {
    /// Whose doing it is.
    package enum Owner: String, Sendable { case caller, policy, provider, gateway }

    package let owner: Owner
    package let status: Status
    /// OpenAI's `type`: `invalid_request_error`, `api_error` …
    package let type: String
    /// OpenAI's `code`, from a closed set.
    package let code: String
    /// What happened, and what to do about it.
    package let message: String
    /// The request's field in question.
    package let param: String?
    /// Whether the same request may succeed later: what an SDK is told by `x-should-retry`.
    package let isRetryable: Bool
    /// How long to wait before another try, if that is known.
    package let retryAfter: Duration?

    package init(
        _ owner: Owner, _ status: Status, type: String = "invalid_request_error", code: String, _ message: String,
        param: String? = nil, isRetryable: Bool = false, retryAfter: Duration? = nil
    ) {
        self.owner = owner
        self.status = status
        self.type = type
        self.code = code
        self.message = message
        self.param = param
        self.isRetryable = isRetryable
        self.retryAfter = retryAfter
    }
}

extension Rejection {
    package static let shuttingDown = Rejection(
        .gateway, 503, type: "api_error", code: "shutting_down",
        "Sluice is shutting down and could not wait any longer.", isRetryable: true)

    /// The application has gone: nobody reads the reply. 499 is nginx's number for it, and only logged.
    package static let gone = Rejection(
        .caller, 499, code: "client_closed_request", "The application closed the connection before it had its answer.")
}
