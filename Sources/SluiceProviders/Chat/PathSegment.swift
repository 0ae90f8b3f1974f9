internal import SluiceCore

/// One segment of a path (RFC 3986 §3.3).
package enum PathSegment {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// Percent-encodes everything but the unreserved characters, slashes and colons included: what AWS asks for, and right for all.
    package static func encoded(_ text: String) -> String {
        let buffer = ByteBuffer(capacity: text.utf8.count + 16)
        for byte in text.utf8 {
            let isUnreserved =
                byte.isASCIILetter || byte.isDecimalDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "~")
            if isUnreserved {
                buffer.append(byte)
            } else {
                buffer.append(UInt8(ascii: "%"))
                buffer.append(digits[Int(byte >> 4)])
                buffer.append(digits[Int(byte & 0xF)])
            }
        }
        return buffer.text
    }
}
