internal import SluiceCore
internal import SluiceTLS

/// Percent encoding with the unreserved set of RFC 3986 §2.3, and hexadecimal, as signatures want them.
enum PercentText {
    static func encode(_ text: String, keeping kept: String = "") -> String {
        var result: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            if byte.isASCIILetter || byte.isDecimalDigit || "-_.~".utf8.contains(byte) || kept.utf8.contains(byte) {
                result.append(byte)
            } else {
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Of a query: a plus sign is a space.
    static func decode(_ text: String) -> String {
        var result: [UInt8] = []
        PercentCoding.append(text.utf8Span.span, isForm: true, to: &result)
        return String(decoding: result, as: UTF8.self)
    }
}

/// The hashes of signatures, over text.
enum SignedText {
    static func mac(_ key: [UInt8], _ text: String) -> [UInt8] {
        Array(copying: MAC.sha256(key: key.span, message: text.utf8Span.span).span)
    }

    static func sha256(_ text: String) -> String { SHA256.hash(text.utf8Span.span).hexadecimal }

    static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// A part of a JWT: base64url without padding.
    static func decoded(base64URL text: [UInt8]) -> [UInt8]? { Base64.decode(text.span, .urlSafe) }

    static func json(base64URL text: [UInt8]) -> MockJSON? {
        guard let bytes = decoded(base64URL: text) else { return nil }
        return MockJSON(parsing: bytes.span)
    }

    static func base64(_ bytes: [UInt8]) -> String { Base64.encode(bytes.span) }
}
