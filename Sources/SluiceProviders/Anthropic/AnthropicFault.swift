internal import SluiceCore
package import SluiceHTTP
package import SluiceJSON

/// Reads Anthropic's errors (section 8 of the sheet).
package enum AnthropicFault {
    /// An error's reply.
    package static func read(_ head: ResponseHead, _ document: JSONValue?, text: Span<UInt8>) -> ProviderFault {
        guard let document, let error = document["error"], error["type"]?.isString == true else {
            return OpenAIFault.read(head, document, text: text)
        }
        var fault = read(error, head.status)
        if fault.status.code == 429, fault.key == .fine, isSpendCap(fault.message), !head.fields.contains(.retryAfter) {
            fault = exhausted(429, fault.message)
        }
        if let index = head.fields.index(of: .xShouldRetry), head.fields.value(at: index).equals("false") {
            fault.isRetryable = false
        }
        return fault
    }

    /// An error where an answer was to be, or as an event of a stream; `nil` if it is none.
    package static func inBand(_ document: JSONValue) -> ProviderFault? {
        let isError = document["type"]?.equals("error") == true
        guard let error = document["error"], error.isObject else {
            return isError ? ProviderFault(502, "The provider reported an error without saying which.") : nil
        }
        return read(error, nil)
    }

    /// - Parameter status: as HTTP said it; `nil` for one that came with 200.
    private static func read(_ error: JSONValue, _ status: Status?) -> ProviderFault {
        let message = error["message"]?.string ?? "The provider reported an error without a message."
        let isSpendLimit = error["details"]?["error_code"]?.equals("enforced_spend_limit_reached") == true
        if isSpendLimit || isSpendCap(message), status?.code != 429 { return exhausted(status ?? 402, message) }
        var fault = described(error["type"], status, message)
        // What HTTP says goes, but for Anthropic's own number for "overloaded".
        if let status, status.code != 529, fault.status != status {
            fault.status = status
            fault.isRetryable = ProviderFault.isRetryable(status)
        }
        return fault
    }

    private static func described(_ type: JSONValue?, _ status: Status?, _ message: String) -> ProviderFault {
        guard let type = type?.unescapedBytes else { return ProviderFault(status ?? 502, message) }
        if type.equals("invalid_request_error") {
            return message.hasPrefix("prompt is too long")
                ? ProviderFault(400, code: "context_length_exceeded", message, param: "messages")
                : ProviderFault(400, message)
        }
        if type.equals("authentication_error") {
            return ProviderFault(401, code: "invalid_api_key", message, key: .refused)
        }
        if type.equals("billing_error") { return exhausted(402, message) }
        if type.equals("permission_error") { return ProviderFault(403, message) }
        if type.equals("not_found_error") { return ProviderFault(404, code: "model_not_found", message) }
        if type.equals("conflict_error") { return ProviderFault(409, message) }
        if type.equals("request_too_large") { return ProviderFault(413, code: "request_too_large", message) }
        if type.equals("rate_limit_error") {
            return ProviderFault(429, type: "requests", code: "rate_limit_exceeded", message)
        }
        if type.equals("timeout_error") { return ProviderFault(504, message) }
        if type.equals("overloaded_error") { return ProviderFault(503, code: "server_is_overloaded", message) }
        if type.equals("api_error") { return ProviderFault(500, message) }
        return ProviderFault(status ?? 502, code: String(decoding: type), message)
    }

    /// Nothing is left to spend. Limits that were set by the owner come as 400, those of the account's tier as 429.
    private static func isSpendCap(_ message: String) -> Bool {
        let words = message.lowercased()
        return words.contains("credit balance is too low") || words.contains("spend limit")
            || words.contains("usage limits")
    }

    private static func exhausted(_ status: Status, _ message: String) -> ProviderFault {
        ProviderFault(
            status.code == 400 ? 402 : status, type: "insufficient_quota", code: "insufficient_quota", message,
            isRetryable: false, key: .exhausted)
    }
}
