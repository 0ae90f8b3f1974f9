internal import SluiceHTTP
package import SluiceJSON

/// Baidu's `error_code`, which comes with status 200 (baidu sheet, section 3.6).
package enum ErnieFault {
    /// - Returns: `nil` if the document is no error.
    package static func inBand(_ document: JSONValue) -> ProviderFault? {
        guard let value = document["error_code"], let code = value.int ?? Int(value.string ?? ""), code != 0 else {
            return nil
        }
        let message = document["error_msg"]?.string ?? ""
        let isTooLong = isInvalid(code) && saysTooLong(message)
        return (isTooLong ? .tooManyTokens : meaning(of: code)).fault(
            message, param: isTooLong || code == 336103 ? "messages" : nil)
    }

    private static func isInvalid(_ code: Int) -> Bool { [336001, 336003, 336006, 336007, 336102].contains(code) }

    private static func saysTooLong(_ message: String) -> Bool {
        let message = message.lowercased()
        return message.contains("max length") || message.contains("max input")
    }

    private static func meaning(of code: Int) -> FaultClass {
        switch code {
        case 2, 336100: .overloaded
        case 3, 336005: .unknownModel
        case 4, 18, 336501, 336502: .limited
        case 6: .lockedOut
        case 14, 100, 110, 111: .unauthorized  // the token is renewed once, where there is one
        case 15: FaultClass(401, "authentication_error", "invalid_api_key", isRetryable: true, key: .refused)
        case 17, 19: .spent
        case 336001, 336002, 336003, 336006, 336007, 336102: .invalid
        case 336004: .forbidden
        case 336101: FaultClass(405, "invalid_request_error", "invalid_request")
        case 336103: .tooManyTokens
        case 336104, 336105: .filtered
        default: .failed  // 1, 13, 336000, 500000 among them
        }
    }
}
