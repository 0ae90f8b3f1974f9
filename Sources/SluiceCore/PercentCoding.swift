/// Percent-encoding (RFC 3986 §2.1).
package enum PercentCoding {
    /// Whether every `%` is followed by two hex digits.
    package static func isWellFormed(_ bytes: Span<UInt8>) -> Bool {
        var index = 0
        while let percent = bytes.firstIndex(of: UInt8(ascii: "%"), from: index) {
            if byte(bytes, at: percent) == nil { return false }
            index = percent + 3
        }
        return true
    }

    /// The byte that `%XX` at an offset stands for; `nil` if it is not two hex digits.
    package static func byte(_ bytes: Span<UInt8>, at percent: Int) -> UInt8? {
        guard bytes.count - percent >= 3, let high = bytes[percent + 1].hexDigitValue,
            let low = bytes[percent + 2].hexDigitValue
        else { return nil }
        return UInt8(truncatingIfNeeded: high << 4 | low)
    }

    /// Appends the bytes that are meant; a `%` without two hex digits is itself (WHATWG URL §1.3).
    ///
    /// - Parameter isForm: `+` is a space (WHATWG URL §5.1).
    package static func append(_ bytes: Span<UInt8>, isForm: Bool, to decoded: inout [UInt8]) {
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%"), let value = Self.byte(bytes, at: index) {
                decoded.append(value)
                index += 3
            } else {
                decoded.append(isForm && byte == UInt8(ascii: "+") ? ASCII.space : byte)
                index += 1
            }
        }
    }
}
