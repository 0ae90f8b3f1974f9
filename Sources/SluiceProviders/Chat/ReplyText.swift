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
}
