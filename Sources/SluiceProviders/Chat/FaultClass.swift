internal import SluiceHTTP

/// What one of a provider's error codes means, in OpenAI's words: a row of the table in its sheet.
struct FaultClass: Sendable {
    let status: Status
    let type: String
    let code: String?
    let isRetryable: Bool
    let key: ProviderFault.KeyVerdict

    init(
        _ status: Status, _ type: String, _ code: String?, isRetryable: Bool = false,
        key: ProviderFault.KeyVerdict = .fine
    ) {
        self.status = status
        self.type = type
        self.code = code
        self.isRetryable = isRetryable
        self.key = key
    }

    func fault(_ message: String, param: String? = nil) -> ProviderFault {
        ProviderFault(
            status, type: type, code: code,
            message.isEmpty ? "The provider reported an error without a message." : message,
            param: param, isRetryable: isRetryable, key: key)
    }

    // MARK: The caller's doing

    static let invalid = FaultClass(400, "invalid_request_error", "invalid_request")
    static let tooManyTokens = FaultClass(400, "invalid_request_error", "context_length_exceeded")
    static let filtered = FaultClass(400, "invalid_request_error", "content_filter")
    static let unknownModel = FaultClass(404, "invalid_request_error", "model_not_found")
    static let tooLarge = FaultClass(413, "invalid_request_error", "request_too_large")

    // MARK: The key's

    /// The key, or the token that was made of it, is no good.
    static let unauthorized = FaultClass(401, "authentication_error", "invalid_api_key", key: .refused)
    /// The key is good, but not for this; another account's may be.
    static let forbidden = FaultClass(403, "permission_error", "access_denied")
    /// The whole account is locked out.
    static let lockedOut = FaultClass(403, "permission_error", "access_denied", key: .refused)
    static let spent = FaultClass(429, "insufficient_quota", "insufficient_quota", key: .exhausted)

    // MARK: The provider's

    static let limited = FaultClass(429, "rate_limit_error", "rate_limit_exceeded", isRetryable: true)
    static let failed = FaultClass(502, "server_error", "upstream_error", isRetryable: true)
    static let overloaded = FaultClass(503, "server_error", "overloaded", isRetryable: true)
    static let timedOut = FaultClass(504, "server_error", "timeout", isRetryable: true)

    /// For a code that the table does not know.
    static func of(_ status: Status) -> FaultClass {
        switch status.code {
        case 401: unauthorized
        case 403: forbidden
        case 404: unknownModel
        case 408, 504: timedOut
        case 413: tooLarge
        case 429: limited
        case 503: overloaded
        case 400..<500: FaultClass(status, "invalid_request_error", "invalid_request")
        default: failed
        }
    }
}
