internal import SluiceCore
internal import SluiceHTTP

/// What errors of OpenAI's imitators mean that no table has a row for: many say no code, or repeat the status as one.
///
/// Applications act on these few codes; any other number stays.
enum CommonWords {
    /// How servers and platforms speak of a prompt that is too long, in lower case.
    private static let lengths = [
        "context length", "context window", "context size", "maximum prompt length", "prompt is too long",
        "range of input length",
    ]

    /// - Parameter said: the message in lower case.
    static func complete(_ fault: inout ProviderFault, _ said: String) {
        if isVague(fault), [400, 413, 422].contains(fault.status.code), lengths.contains(where: said.contains) {
            fault.code = "context_length_exceeded"
            return
        }
        guard fault.code == nil || isStatus(fault.code) || fault.code == "upstream_error" else { return }
        if let code = code(fault, said) { fault.code = code }
    }

    private static func isVague(_ fault: ProviderFault) -> Bool {
        guard let code = fault.code else { return true }
        return code == "invalid_request" || code == "upstream_error" || code.utf8.allSatisfy(\.isDecimalDigit)
    }

    private static func isStatus(_ code: String?) -> Bool {
        guard let number = code.flatMap({ Int($0) }) else { return false }
        return (400...599).contains(number)
    }

    private static func code(_ fault: ProviderFault, _ said: String) -> String? {
        if fault.type == "insufficient_quota" { return "insufficient_quota" }
        switch fault.status.code {
        case 401: return "invalid_api_key"
        case 402: return "insufficient_quota"
        case 404: return said.contains("model") ? "model_not_found" : nil
        case 429: return "rate_limit_exceeded"
        default: return nil
        }
    }
}
