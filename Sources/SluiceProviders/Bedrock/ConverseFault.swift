internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON

/// Reads Bedrock's errors and the exceptions of its streams (section 6 of the Bedrock sheet).
enum ConverseFault {
    static func read(_ head: ResponseHead, _ document: JSONValue?, text: Span<UInt8>) -> ProviderFault {
        let named = head.fields.index(named: "x-amzn-errortype").map { String(decoding: head.fields.value(at: $0)) }
        let type = named ?? document?["__type"]?.string ?? ""
        let said = String(decoding: text.extracting(0..<min(text.count, 400)))
        var words = "The provider answered with status \(head.status.code). \(said)"
        if let document, let message = message(document) { words = message }
        return fault(bare(type), words, head.status)
    }

    /// An event of a stream that is not one of an answer; `nil` if it is none that tells of a failure.
    ///
    /// - Parameter name: `:exception-type`, `:error-code`, or the name of an event that is not known.
    static func event(_ document: JSONValue, named name: String) -> ProviderFault? {
        if let type = document["__type"]?.string { return fault(bare(type), message(document) ?? type, 502) }
        guard name.hasSuffix("Exception") || name.hasSuffix("Error") || name.hasSuffix("Failure") else { return nil }
        return fault(bare(name), message(document) ?? "The provider reported \(name).", 502)
    }

    /// An error where an answer was to be; `nil` if it is none.
    static func inBand(_ document: JSONValue) -> ProviderFault? {
        guard let message = message(document) else { return nil }
        return fault(bare(document["__type"]?.string ?? ""), message, 502)
    }

    private static func message(_ document: JSONValue) -> String? {
        for name: StaticString in ["message", "Message", "originalMessage"] {
            if let text = document[name]?.string, !text.isEmpty { return text }
        }
        return nil
    }

    /// The type alone: `ThrottlingException:http://…`, `com.amazon.coral#ThrottlingException`.
    private static func bare(_ type: String) -> String {
        let head = type.prefix { $0 != ":" && $0 != " " }
        return String(head.split(separator: "#").last ?? "")
    }

    private static func fault(_ type: String, _ message: String, _ status: Status) -> ProviderFault {
        switch type.lowercased() {
        case "validationexception": return validation(message)
        case "accessdeniedexception":
            return ProviderFault(403, code: "permission_denied", message)
        case "unrecognizedclientexception", "invalidsignatureexception", "expiredtokenexception", "expiredtoken",
            "incompletesignature",
            "incompletesignatureexception", "missingauthenticationtoken", "missingauthenticationtokenexception":
            return ProviderFault(401, code: "invalid_api_key", message, key: .refused)
        case "resourcenotfoundexception":
            return ProviderFault(404, code: "model_not_found", message, param: "model")
        case "modeltimeoutexception": return ProviderFault(504, code: "timeout", message)
        case "throttlingexception": return ProviderFault(429, code: "rate_limit_exceeded", message)
        case "modelnotreadyexception", "serviceunavailableexception":
            return ProviderFault(503, code: "server_is_overloaded", message)
        case "servicequotaexceededexception":
            return ProviderFault(
                429, type: "insufficient_quota", code: "insufficient_quota", message, isRetryable: false,
                key: .exhausted)
        case "conflictexception": return ProviderFault(409, code: "conflict", message)
        case "modelerrorexception", "modelstreamerrorexception": return ProviderFault(502, code: "model_error", message)
        case "internalserverexception", "internalfailure": return ProviderFault(500, code: "internal_error", message)
        default: return ProviderFault(status, code: type.isEmpty ? "upstream_error" : type, message)
        }
    }

    /// The words are not fixed: they are matched loosely.
    private static func validation(_ message: String) -> ProviderFault {
        let words = message.lowercased()
        let isTooLong =
            words.contains("too long") || words.contains("too many input tokens") || words.contains("context length")
            || words.contains("exceeds") && words.contains("token")
        return ProviderFault(
            400, code: isTooLong ? "context_length_exceeded" : "invalid_request", message,
            param: isTooLong ? "messages" : nil)
    }
}
