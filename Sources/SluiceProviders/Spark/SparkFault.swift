package import SluiceJSON

/// iFlytek's codes (iflytek sheet, section 3.6): in `header.code` over a WebSocket, in `code` over HTTP.
package enum SparkFault {
    /// The output was found sensitive: what was sent may stay.
    static let sensitiveOutput = 10014

    /// - Returns: 0 if all is well; `nil` if the document has no code.
    static func code(_ document: JSONValue) -> Int? {
        if let value = document["header"]?["code"] { return number(value) }
        if let value = document["code"] { return number(value) }
        if let value = document["error"]?["code"] { return number(value) }
        return nil
    }

    private static func number(_ value: JSONValue) -> Int? {
        if let number = value.int { return number }
        guard let text = value.string else { return nil }
        return Int(text)
    }

    /// - Returns: `nil` if the document is no error.
    package static func inBand(_ document: JSONValue) -> ProviderFault? {
        guard let code = code(document), code != 0 else { return nil }
        let said = document["header"]?["message"]?.string ?? document["message"]?.string
        let message = said ?? document["error"]?["message"]?.string ?? ""
        return meaning(of: code, message).fault(message)
    }

    private static func meaning(of code: Int, _ message: String) -> FaultClass {
        switch code {
        case 10003, 10004, 10005, 10163: .invalid
        case 10006, 10007, 11202, 11203: .limited
        case 10008, 10110: .overloaded
        case 10013, sensitiveOutput, 10019, 10021: .filtered
        case 10015, 10016: .lockedOut
        case 10404: .unknownModel
        case 10907: .tooManyTokens
        case 11200: isSpent(message) ? .spent : .lockedOut
        case 11201: .spent
        default: .failed  // 10000, 10001, 10002, 10009 to 10012, 10017, 10222 among them
        }
    }

    /// One code says "not for you" and "no more".
    private static func isSpent(_ message: String) -> Bool {
        let message = message.lowercased()
        return message.contains("tokens.total") || message.contains("licc") || message.contains("licen")
    }
}
