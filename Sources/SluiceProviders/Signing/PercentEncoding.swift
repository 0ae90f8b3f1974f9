internal import SluiceCore

/// Percent-encoding as signatures want it: everything but the unreserved characters of RFC 3986 §2.3, in upper case.
enum PercentEncoding {
    /// - Parameter keepsSlash: for a path of several segments.
    static func append(_ bytes: Span<UInt8>, keepsSlash: Bool = false, to buffer: ByteBuffer) {
        buffer.reserve(bytes.count)
        for index in bytes.indices {
            let byte = bytes[index]
            if isUnreserved(byte) || keepsSlash && byte == UInt8(ascii: "/") {
                buffer.append(byte)
            } else {
                buffer.append(UInt8(ascii: "%"))
                buffer.append(digit(byte >> 4))
                buffer.append(digit(byte & 15))
            }
        }
    }

    /// Appends what `%XX` stands for; a `%` without two hex digits is itself, and so is `+`.
    static func appendDecoded(_ bytes: Span<UInt8>, to buffer: ByteBuffer) {
        var at = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "%"), bytes.count - at >= 3, let high = bytes[at + 1].hexDigitValue,
                let low = bytes[at + 2].hexDigitValue
            {
                buffer.append(UInt8(truncatingIfNeeded: high << 4 | low))
                at += 3
            } else {
                buffer.append(bytes[at])
                at += 1
            }
        }
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        byte.isASCIILetter || byte.isDecimalDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "~")
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? value + UInt8(ascii: "0") : value + (UInt8(ascii: "A") - 10)
    }
}
