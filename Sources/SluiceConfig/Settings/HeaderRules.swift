internal import SluiceCore

/// What may stand in a header field (RFC 9110 §5).
enum HeaderRules {
    static let names = ConfigNames("a field name that is not one of the connection, the length or the host") {
        isName($0) && !isReserved($0.lowercased())
    }

    /// `token` (RFC 9110 §5.6.2).
    static func isName(_ text: String) -> Bool {
        1...128 ~= text.utf8.count
            && text.utf8.allSatisfy { $0.isASCIILetter || $0.isDecimalDigit || "!#$%&'*+-.^_`|~".utf8.contains($0) }
    }

    /// Fields that say how a message is framed or where it goes: the proxy alone writes them.
    static func isReserved(_ name: String) -> Bool {
        [
            "connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer",
            "transfer-encoding", "upgrade",
        ].contains(name)
    }

    /// Visible ASCII, with spaces inside only.
    static func isValue(_ bytes: Span<UInt8>) -> Bool {
        if bytes.count > 8192 || bytes.trimmingOptionalWhitespace() != 0..<bytes.count { return false }
        for index in bytes.indices where !(0x20...0x7E ~= bytes[index]) { return false }
        return true
    }
}

extension ConfigRule where Value == Secret {
    /// A secret that can be the value of a field.
    static var fieldValue: ConfigRule<Secret> {
        .secret(allowed: "\"file:/path\", \"env:NAME\" or a string, of visible ASCII characters", HeaderRules.isValue)
    }
}
