internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON

/// Reads Google's errors (section 8 of the Gemini sheet).
enum GeminiFault {
    static func read(_ head: ResponseHead, _ document: JSONValue?, text: Span<UInt8>) -> ProviderFault {
        if let document, let error = error(in: document) { return read(error, head.status) }
        let said = String(decoding: text.extracting(0..<min(text.count, 400)))
        return ProviderFault(
            head.status, code: "upstream_error", "The provider answered with status \(head.status.code). \(said)")
    }

    /// An error where an answer was to be, as an event or as bare JSON within a stream. `nil` if it is none.
    static func inBand(_ document: JSONValue) -> ProviderFault? {
        guard let error = error(in: document) else { return nil }
        return read(error, 502)
    }

    /// The error object: alone, or, as streams bring it, in an array.
    @_lifetime(copy document)
    private static func error(in document: JSONValue) -> JSONValue? {
        if let error = document["error"], error.isObject { return error }
        guard document.isArray, let error = document[0]?["error"], error.isObject else { return nil }
        return error
    }

    private static func read(_ error: JSONValue, _ status: Status) -> ProviderFault {
        var details = Details()
        details.read(error)
        let code = error["code"]?.int.flatMap { (400...599).contains($0) ? UInt16($0) : nil }
        let word = error["status"]?.string ?? ""
        var fault = ProviderFault(
            code.map { Status($0) } ?? status,
            error["message"]?.string ?? "The provider reported an error without a message.")
        fault.retryAfter = details.retryAfter
        switch word {
        case "INVALID_ARGUMENT" where details.reason.hasPrefix("API_KEY_"): refuseKey(&fault)
        case "INVALID_ARGUMENT": readArgument(&fault)
        case "UNAUTHENTICATED": refuseKey(&fault)
        case "PERMISSION_DENIED": readPermission(details, &fault)
        case "NOT_FOUND": say(&fault, 404, "invalid_request_error", "model_not_found", param: "model")
        case "RESOURCE_EXHAUSTED": readQuota(details, &fault)
        case "CANCELLED": say(&fault, 502, "server_error", "cancelled")
        case "INTERNAL", "UNKNOWN", "DATA_LOSS": say(&fault, 500, "server_error", "internal_error")
        case "UNAVAILABLE": say(&fault, 503, "service_unavailable_error", "server_is_overloaded")
        case "DEADLINE_EXCEEDED": say(&fault, 504, "server_error", "timeout")
        case "ABORTED": say(&fault, 409, "invalid_request_error", "aborted")
        default:
            say(
                &fault, fault.status, ProviderFault.type(of: fault.status),
                word.isEmpty ? "upstream_error" : word.lowercased())
        }
        return fault
    }

    private static func say(
        _ fault: inout ProviderFault, _ status: Status, _ type: String, _ code: String, param: String? = nil
    ) {
        fault.status = status
        fault.type = type
        fault.code = code
        fault.param = param
        fault.isRetryable = ProviderFault.isRetryable(status)
    }

    private static func refuseKey(_ fault: inout ProviderFault) {
        say(&fault, 401, "invalid_request_error", "invalid_api_key")
        fault.key = .refused
    }

    private static func readArgument(_ fault: inout ProviderFault) {
        let isTooLong = fault.message.contains("token count") && fault.message.contains("exceeds")
        say(
            &fault, 400, "invalid_request_error", isTooLong ? "context_length_exceeded" : "invalid_argument",
            param: isTooLong ? "messages" : nil)
    }

    private static func readPermission(_ details: Details, _ fault: inout ProviderFault) {
        say(&fault, 403, "invalid_request_error", "permission_denied")
        if details.reason.hasPrefix("API_KEY_") || details.reason == "CONSUMER_SUSPENDED"
            || details.reason == "SERVICE_DISABLED"
        {
            fault.key = .refused
        } else if details.reason == "BILLING_DISABLED" {
            fault.key = .exhausted
        }
    }

    private static func readQuota(_ details: Details, _ fault: inout ProviderFault) {
        say(&fault, 429, "requests", "rate_limit_exceeded")
        if !details.isDaily { return }
        fault.type = "insufficient_quota"
        fault.code = "insufficient_quota"
        fault.isRetryable = false
        fault.key = .exhausted
    }

    /// What `details` says, each entry by its type.
    private struct Details {
        var reason = ""
        var retryAfter: Duration?
        /// The quota that is used up is a day's.
        var isDaily = false
        private static let entriesMax = 64

        mutating func read(_ error: JSONValue) {
            var entries = error.elements(of: "details")
            var count = 0
            while let entry = entries.next(), count < Self.entriesMax {
                count += 1
                if let reason = entry["reason"]?.string, self.reason.isEmpty { self.reason = reason }
                if let delay = entry["retryDelay"] { retryAfter = Self.duration(delay) ?? retryAfter }
                var violations = entry.elements(of: "violations")
                while let violation = violations.next(), count < Self.entriesMax {
                    count += 1
                    if violation["quotaId"]?.string?.contains("PerDay") == true { isDaily = true }
                }
            }
        }

        private static let secondsMax = 86_400.0

        /// `37s`, `1.5s`, or `{"seconds":37,"nanos":0}`.
        private static func duration(_ value: JSONValue) -> Duration? {
            var seconds: Double?
            if let text = value.string {
                seconds = Double(text.hasSuffix("s") ? String(text.dropLast()) : text)
            } else {
                seconds = value["seconds"]?.double ?? value["seconds"]?.string.flatMap { Double($0) }
            }
            guard let seconds, seconds >= 0, seconds.isFinite else { return nil }
            return .milliseconds(Int64(min(seconds, secondsMax) * 1000))
        }
    }
}
