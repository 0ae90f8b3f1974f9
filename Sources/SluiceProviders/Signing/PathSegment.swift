package import SluiceCore

/// One segment of a path: a model's id, whatever characters it has.
package enum PathSegment {
    /// Appends the text percent-encoded, `:` and `/` too (`v1:0` becomes `v1%3A0`): it stays one segment, and
    /// signatures that encode the path again agree with the server's.
    package static func append(_ text: Span<UInt8>, to buffer: ByteBuffer) { PercentEncoding.append(text, to: buffer) }

    package static func encoded(_ text: String) -> String {
        let buffer = ByteBuffer(capacity: text.utf8.count + 16)
        append(text.utf8Span.span, to: buffer)
        return buffer.text
    }
}
