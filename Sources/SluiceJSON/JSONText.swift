package import SluiceCore

/// Text as it stands in a JSON string (RFC 8259 §7): escapes for what needs one, everything else as it is.
package enum JSONText {
    static func writeQuoted(_ text: Span<UInt8>, to buffer: ByteBuffer) {
        buffer.reserve(text.count &+ 2)
        buffer.append(UInt8(ascii: "\""))
        write(text, to: buffer)
        buffer.append(UInt8(ascii: "\""))
    }

    /// The inside of a JSON string that says `text`; what is not UTF-8 becomes U+FFFD, byte by byte.
    package static func write(_ text: Span<UInt8>, to buffer: ByteBuffer) {
        unsafe text.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return }
            var written = 0
            var at = 0
            while true {
                at = unsafe PlainText.end(base, from: at, end: bytes.count)
                if at < bytes.count, unsafe base[at] >= 0x80 {
                    at = unsafe UTF8Sequence.endOfRun(base, from: at, end: bytes.count)
                    if at < bytes.count, unsafe base[at] < 0x80 { continue }
                }
                unsafe buffer.append(UnsafeRawBufferPointer(start: base + written, count: at &- written))
                if at == bytes.count { return }
                unsafe writeEscape(base[at], to: buffer)
                at &+= 1
                written = at
            }
        }
    }

    /// What the inside of a JSON string says, where it is known to be valid.
    package static func read(_ contents: Span<UInt8>, to buffer: ByteBuffer) { JSONEscapes.decode(contents, into: buffer) }

    /// A JSON text without the white space between its values.
    package static func compact(_ text: Span<UInt8>, into buffer: ByteBuffer) {
        buffer.reserve(text.count)
        var isInString = false
        var isEscaped = false
        for index in text.indices {
            let byte = text[index]
            if isInString {
                buffer.append(byte)
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
            } else if byte > ASCII.space {
                buffer.append(byte)
                isInString = byte == UInt8(ascii: "\"")
            }
        }
    }

    @inline(never) private static func writeEscape(_ byte: UInt8, to buffer: ByteBuffer) {
        switch byte {
        case UInt8(ascii: "\""): buffer.append("\\\"" as StaticString)
        case UInt8(ascii: "\\"): buffer.append("\\\\" as StaticString)
        case ASCII.lineFeed: buffer.append("\\n" as StaticString)
        case ASCII.carriageReturn: buffer.append("\\r" as StaticString)
        case ASCII.tab: buffer.append("\\t" as StaticString)
        case 0x08: buffer.append("\\b" as StaticString)
        case 0x0C: buffer.append("\\f" as StaticString)
        case 0x80...: buffer.append("\u{FFFD}" as StaticString)
        default:
            buffer.append("\\u00" as StaticString)
            buffer.append(hexDigit(byte >> 4))
            buffer.append(hexDigit(byte & 0xF))
        }
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &+ (value &- 10)
    }
}

extension PlainText {
    /// Whether all of it stands in a JSON string as it is.
    static func isPlain(_ text: Span<UInt8>) -> Bool {
        for index in text.indices where !isPlain(text[index]) { return false }
        return true
    }
}
