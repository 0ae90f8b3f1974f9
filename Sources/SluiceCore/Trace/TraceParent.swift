/// Which trace a request belongs to, and which step of it has sent it: the `traceparent` field (W3C Trace Context, level 1, §3.2).
package struct TraceParent: Equatable, Sendable {
    package let traceID: TraceID
    package let spanID: SpanID
    /// Whoever sent it records the trace.
    package let isSampled: Bool

    /// Of version 00. One of a later version may be longer.
    package static let byteCount = 55

    package init(_ traceID: TraceID, _ spanID: SpanID, isSampled: Bool) {
        self.traceID = traceID
        self.spanID = spanID
        self.isSampled = isSampled
    }

    /// Reads a field's value, without blanks around it.
    ///
    /// - Returns: `nil` for what is none: the trace begins here then.
    package init?(_ value: Span<UInt8>) {
        guard value.count >= Self.byteCount, value[2] == Self.dash, value[35] == Self.dash, value[52] == Self.dash,
            let version = HexDigit.word(value, 0..<2), version != 0xFF,
            let high = HexDigit.word(value, 3..<19), let low = HexDigit.word(value, 19..<35),
            let parent = HexDigit.word(value, 36..<52), let flags = HexDigit.word(value, 53..<55),
            let traceID = TraceID(high: high, low: low), let spanID = SpanID(parent)
        else { return nil }
        // §4.3: what later versions add comes after another dash, and is not read.
        if value.count > Self.byteCount, version == 0 || value[Self.byteCount] != Self.dash { return nil }
        self.init(traceID, spanID, isSampled: flags & 1 == 1)
    }

    /// In version 00: of the flags only the one that it knows.
    package var text: InlineArray<55, UInt8> {
        let (trace, span) = (traceID.digits, spanID.digits)
        return InlineArray { index in
            switch index {
            case 2, 35, 52: Self.dash
            case 3..<35: trace[index - 3]
            case 36..<52: span[index - 36]
            case 54: isSampled ? UInt8(ascii: "1") : UInt8(ascii: "0")
            default: UInt8(ascii: "0")
            }
        }
    }

    private static let dash = UInt8(ascii: "-")
}
