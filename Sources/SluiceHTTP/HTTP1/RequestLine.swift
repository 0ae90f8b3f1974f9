internal import SluiceCore

/// The first line of a request (RFC 9112 §3).
struct RequestLine {
    let method: Method
    /// Where the target stands, as it was sent.
    let target: Range<Int>
    let version: HTTPVersion

    /// Reads the line at `position` and leaves it after the CR LF; `nil` while the line has not all arrived.
    static func read(
        _ bytes: Span<UInt8>, at position: inout Int, limits: HeadLimits
    ) throws(HeadError) -> RequestLine? {
        if position < bytes.count, !CharacterClass.token.contains(bytes[position]) { throw .malformedRequestLine }
        let end = bytes.firstControl(from: position)
        if end - position > limits.requestLineBytesMax { throw .targetTooLong }
        if end == bytes.count { return nil }
        if bytes[end] == ASCII.lineFeed { throw .bareLineFeed }
        if bytes[end] != ASCII.carriageReturn { throw .malformedRequestLine }
        var next = end
        guard try FieldSection.endOfLine(bytes, at: &next) else { return nil }
        let line = try parse(bytes, from: position, to: end, limits: limits)
        position = next
        return line
    }

    private static func parse(
        _ bytes: Span<UInt8>, from start: Int, to end: Int, limits: HeadLimits
    ) throws(HeadError) -> RequestLine {
        let methodEnd = CharacterClass.token.firstOutside(bytes, from: start, to: end)
        if methodEnd == start || methodEnd == end || bytes[methodEnd] != ASCII.space { throw .malformedRequestLine }
        let targetStart = methodEnd + 1
        let targetEnd = bytes.extracting(0..<end).firstIndex(of: ASCII.space, from: targetStart) ?? end
        if targetEnd - targetStart > limits.targetBytesMax { throw .targetTooLong }
        if targetEnd == targetStart || targetEnd == end { throw .malformedRequestLine }
        let version = try version(bytes.extracting(targetEnd + 1..<end))
        let method = Method(bytes.extracting(start..<methodEnd))
        if method == .other { throw .unknownMethod }
        if method == .connect { throw .connectRefused }
        return RequestLine(method: method, target: targetStart..<targetEnd, version: version)
    }

    /// Reads `HTTP/1.1` or `HTTP/1.0`, case and all (RFC 9112 §2.3).
    static func version(_ bytes: Span<UInt8>) throws(HeadError) -> HTTPVersion {
        guard bytes.count == 8, bytes.hasPrefix("HTTP/"), bytes[6] == UInt8(ascii: "."),
            bytes[5].isDecimalDigit, bytes[7].isDecimalDigit
        else { throw .malformedVersion }
        if bytes[5] != UInt8(ascii: "1") { throw .unsupportedVersion }
        switch bytes[7] {
        case UInt8(ascii: "1"): return .http11
        case UInt8(ascii: "0"): return .http10
        default: throw .unsupportedVersion
        }
    }
}
