package import SluiceCore
package import SluiceJSON

/// A piece of a reply's text, where it lies: it is copied once, into what the application gets.
///
/// What came in a JSON string goes into one with the escapes it had.
package struct ReplyText: ~Escapable {
    private let bytes: Span<UInt8>
    /// Whether the bytes are the inside of a JSON string, escapes as they are.
    private let isEscaped: Bool

    /// UTF-8 that is not from a JSON string.
    @_lifetime(copy bytes)
    package init(_ bytes: Span<UInt8>) {
        self.bytes = bytes
        isEscaped = false
    }

    @_lifetime(copy bytes)
    private init(_ bytes: Span<UInt8>, isEscaped: Bool) {
        self.bytes = bytes
        self.isEscaped = isEscaped
    }

    @_lifetime(copy bytes)
    private init(escaped bytes: Span<UInt8>) {
        self.bytes = bytes
        isEscaped = true
    }

    /// What a JSON string says; `nil` if the value is not a string.
    @_lifetime(copy value)
    package init?(_ value: JSONValue) {
        guard let escaped = value.escapedBytes else { return nil }
        self.init(escaped: escaped)
    }

    /// The inside of a JSON string as it was kept.
    @_lifetime(copy bytes)
    package static func escaped(_ bytes: Span<UInt8>) -> ReplyText { ReplyText(escaped: bytes) }

    package var isEmpty: Bool { bytes.isEmpty }

    /// Bytes that it takes in a JSON string, at least.
    package var byteCount: Int { bytes.count }

    /// Appends what stands between the quotation marks of a JSON string.
    package func append(escapedTo buffer: ByteBuffer) {
        if isEscaped { buffer.append(bytes) } else { JSONText.write(bytes, to: buffer) }
    }

    /// Appends the text itself.
    package func append(plainTo buffer: ByteBuffer) {
        if isEscaped { JSONText.read(bytes, to: buffer) } else { buffer.append(bytes) }
    }

    /// A JSON string that says it.
    package func write(_ json: inout JSONWriter) {
        if isEscaped { json.string(escaped: bytes) } else { json.string(bytes) }
    }

    /// A copy of the text.
    package var string: String {
        if !isEscaped { return String(decoding: bytes) }
        let buffer = ByteBuffer(capacity: bytes.count)
        append(plainTo: buffer)
        return buffer.text
    }

    /// Cuts it into pieces of about that size, never within a character or an escape sequence.
    package func forEachPiece(byteCount: Int, _ body: (ReplyText) -> Void) {
        var start = 0
        while start < bytes.count {
            let end = end(ofPieceFrom: start, byteCount)
            body(ReplyText(bytes.extracting(start..<end), isEscaped: isEscaped))
            start = end
        }
    }

    private func end(ofPieceFrom start: Int, _ byteCount: Int) -> Int {
        var at = start
        while at < bytes.count {
            if at - start >= byteCount { return at }
            if isEscaped, bytes[at] == UInt8(ascii: "\\") {
                at = end(ofEscapeAt: at)
            } else {
                at += 1
                while at < bytes.count, bytes[at] & 0xC0 == 0x80 { at += 1 }
            }
        }
        return bytes.count
    }

    /// The two halves of a surrogate pair stay together.
    private func end(ofEscapeAt start: Int) -> Int {
        var at = start
        for _ in 0..<2 {
            guard at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\") else { break }
            let isUnicode = bytes[at + 1] == UInt8(ascii: "u")
            if !isUnicode, at > start { break }
            // U+D800 to U+DBFF.
            let isHigh =
                isUnicode && at + 3 < bytes.count && bytes[at + 2].hexDigitValue == 0xD
                && (bytes[at + 3].hexDigitValue.map { 8...11 ~= $0 } ?? false)
            at += isUnicode ? 6 : 2
            if !isHigh { break }
        }
        return min(at, bytes.count)
    }
}
