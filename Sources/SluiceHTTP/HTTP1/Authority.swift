internal import SluiceCore

/// A host with or without a port, as `Host`, `:authority` and absolute targets have it (RFC 9110 §7.2, RFC 3986 §3.2).
package enum Authority {
    private static let hostBytesMax = 255

    /// Whether it is a host name, an IPv4 address or an IPv6 address in brackets, then nothing or a port up to 65535.
    /// User information is not allowed.
    package static func isValid(_ bytes: Span<UInt8>) -> Bool {
        guard let end = hostEnd(bytes) else { return false }
        if end == bytes.count { return true }
        if bytes[end] != UInt8(ascii: ":") { return false }
        let port = bytes.extracting((end + 1)...)
        if port.isEmpty { return true }
        guard port.count <= 5, let number = ASCII.decimal(port) else { return false }
        return number <= 65_535
    }

    /// Whether both name the same host and port. Case does not matter, nor does leaving the scheme's port out.
    static func agree(_ a: Span<UInt8>, _ b: Span<UInt8>, isSecure: Bool) -> Bool {
        let aCount = countWithoutDefaultPort(a, isSecure: isSecure)
        if aCount != countWithoutDefaultPort(b, isSecure: isSecure) { return false }
        for index in 0..<aCount where a[index].asciiLowercased != b[index].asciiLowercased { return false }
        return true
    }

    private static func countWithoutDefaultPort(_ bytes: Span<UInt8>, isSecure: Bool) -> Int {
        let port: StaticString = isSecure ? ":443" : ":80"
        if bytes.last == UInt8(ascii: ":") { return bytes.count - 1 }
        return bytes.hasSuffix(port) ? bytes.count - port.utf8CodeUnitCount : bytes.count
    }

    private static func hostEnd(_ bytes: Span<UInt8>) -> Int? {
        if bytes.isEmpty { return nil }
        if bytes[0] == UInt8(ascii: "[") { return addressEnd(bytes) }
        let end = CharacterClass.hostName.firstOutside(bytes, from: 0, to: bytes.count)
        if end == 0 || end > hostBytesMax { return nil }
        return PercentCoding.isWellFormed(bytes.extracting(0..<end)) ? end : nil
    }

    /// Where the bracketed IPv6 address ends. Its characters are checked, not what they mean.
    private static func addressEnd(_ bytes: Span<UInt8>) -> Int? {
        var colons = 0
        var index = 1
        while index < bytes.count, index <= 46 {
            switch bytes[index] {
            case UInt8(ascii: "]"): return colons >= 2 ? index + 1 : nil
            case UInt8(ascii: ":"): colons += 1
            case UInt8(ascii: "."): break
            case let byte: if byte.hexDigitValue == nil { return nil }
            }
            index += 1
        }
        return nil
    }
}

extension Span where Element == UInt8 {
    fileprivate var last: UInt8? { isEmpty ? nil : self[count - 1] }

    fileprivate func hasSuffix(_ text: StaticString) -> Bool {
        count >= text.utf8CodeUnitCount && extracting((count - text.utf8CodeUnitCount)...).equals(text)
    }
}
