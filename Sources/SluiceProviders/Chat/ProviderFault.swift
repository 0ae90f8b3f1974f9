package import SluiceHTTP

/// A provider's error, read from its own words: what the application is told in its dialect, and what we learn from it.
package struct ProviderFault: Error, Sendable, Equatable {
    /// What the fault says of the key that was used.
    package enum KeyVerdict: Sendable, Equatable {
        case fine
        /// Unknown, disabled, expired.
        case refused
        /// Its quota is spent or its account is in arrears: waiting a little does not help.
        case exhausted
    }

    /// The status that the application gets; where the provider answered an error with 200, the one that fits.
    package var status: Status
    /// OpenAI's `type`.
    package var type: String
    /// OpenAI's `code` where one fits, else the provider's own.
    package var code: String?
    package var message: String
    /// The field in question.
    package var param: String?
    package var isRetryable: Bool
    /// How long the provider wants to be left alone.
    package var retryAfter: Duration?
    package var key = KeyVerdict.fine

    package init(
        _ status: Status, type: String? = nil, code: String? = nil, _ message: String, param: String? = nil,
        isRetryable: Bool? = nil, retryAfter: Duration? = nil, key: KeyVerdict = .fine
    ) {
        self.status = status
        self.type = type ?? Self.type(of: status)
        self.code = code
        self.message = message
        self.param = param
        self.isRetryable = isRetryable ?? Self.isRetryable(status)
        self.retryAfter = retryAfter
        self.key = key
    }

    /// OpenAI's `type` for a status that comes without one (section 2 of the OpenAI sheet).
    package static func type(of status: Status) -> String {
        switch status.code {
        case 429: "requests"
        case 503: "service_unavailable_error"
        case 500...: "server_error"
        default: "invalid_request_error"
        }
    }

    /// Whether the same request may well succeed later.
    package static func isRetryable(_ status: Status) -> Bool {
        switch status.code {
        case 408, 409, 425, 429, 500...: true
        default: false
        }
    }
}
