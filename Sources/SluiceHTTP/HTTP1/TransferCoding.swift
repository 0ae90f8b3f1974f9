internal import SluiceCore

/// The value of `Transfer-Encoding` (RFC 9112 §6.1).
enum TransferCoding {
    /// Accepts `chunked` and nothing else.
    ///
    /// - Throws: `unknownCoding` (501) for a well-formed list of codings we do not know, before `chunked` or alone;
    ///   `malformedCoding` (400) for what only looks like `chunked` to some readers.
    static func requireChunked(_ value: Span<UInt8>) throws(FramingError) {
        if ASCII.equalsIgnoringCase(value, "chunked") { return }
        var start = 0
        var sawChunked = false
        while start <= value.count {
            let end = value.firstIndex(of: UInt8(ascii: ","), from: start) ?? value.count
            let element = value.extracting(start..<end)
            let coding = element.extracting(element.trimmingOptionalWhitespace())
            // Chunked comes last and once, so nothing may follow it (RFC 9112 §7).
            if sawChunked || coding.isEmpty || !CharacterClass.token.containsAll(coding) { throw .malformedCoding }
            sawChunked = ASCII.equalsIgnoringCase(coding, "chunked")
            start = end + 1
        }
        throw .unknownCoding
    }
}
