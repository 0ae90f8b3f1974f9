internal import SluiceCore

/// An http or https URL that somebody else wrote, taken apart. Strict: what two readers could read in two ways is none.
package struct WebURL {
    package let isSecure: Bool
    /// In lower case; an IPv6 address without its brackets.
    package let host: String
    package let port: UInt16
    /// Path and query.
    package let target: [UInt8]
    private static let byteCountMax = 4096

    /// - Returns: `nil` for another scheme, user information, a backslash, control characters, or anything malformed.
    package init?(_ text: Span<UInt8>) {
        let isSecure = text.hasPrefixIgnoringCase("https://")
        guard isSecure || text.hasPrefixIgnoringCase("http://"), text.count <= Self.byteCountMax else { return nil }
        for index in text.indices {
            let byte = text[index]
            if byte <= 0x20 || byte >= 0x7F || byte == UInt8(ascii: "\\") { return nil }
        }
        let start = isSecure ? 8 : 7
        var end = start
        while end < text.count, !Self.endsAuthority(text[end]) { end += 1 }
        guard let (host, port) = Self.authority(text.extracting(start..<end), isSecure: isSecure) else { return nil }
        self.isSecure = isSecure
        self.host = host
        self.port = port
        var last = end
        while last < text.count, text[last] != UInt8(ascii: "#") { last += 1 }
        var target: [UInt8] = end < text.count && text[end] == UInt8(ascii: "/") ? [] : [UInt8(ascii: "/")]
        for index in end..<last { target.append(text[index]) }
        self.target = target
    }

    private static func endsAuthority(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
    }

    private static func authority(_ bytes: Span<UInt8>, isSecure: Bool) -> (String, UInt16)? {
        let text = String(decoding: bytes).lowercased()
        let isAllowed = text.utf8.allSatisfy { byte in
            byte.isASCIILetter || byte.isDecimalDigit || ".-_:[]".utf8.contains(byte)
        }
        if text.isEmpty || !isAllowed { return nil }
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { return nil }
            return port(text[text.index(after: close)...], isSecure).map { (String(text[..<close].dropFirst()), $0) }
        }
        let end = text.firstIndex(of: ":") ?? text.endIndex
        if end == text.startIndex || text.contains("[") { return nil }
        return port(text[end...], isSecure).map { (String(text[..<end]), $0) }
    }

    private static func port(_ text: Substring, _ isSecure: Bool) -> UInt16? {
        if text.isEmpty { return isSecure ? 443 : 80 }
        guard text.hasPrefix(":"), let port = UInt16(text.dropFirst()), port > 0 else { return nil }
        return port
    }
}
