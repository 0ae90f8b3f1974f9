internal import SluiceCore

/// The first line of a response (RFC 9112 §4). The reason is checked and forgotten.
struct StatusLine {
    let version: HTTPVersion
    let status: Status

    /// Reads the line at `position` and leaves it after the CR LF; `nil` while the line has not all arrived.
    static func read(_ bytes: Span<UInt8>, at position: inout Int) throws(HeadError) -> StatusLine? {
        if position < bytes.count, bytes[position] != UInt8(ascii: "H") { throw .malformedStatusLine }
        var end = position
        while true {
            end = bytes.firstControl(from: end)
            if end == bytes.count { return nil }
            if bytes[end] != ASCII.tab { break }
            end &+= 1
        }
        if bytes[end] == ASCII.lineFeed { throw .bareLineFeed }
        if bytes[end] != ASCII.carriageReturn { throw .malformedStatusLine }
        var next = end
        guard try FieldSection.endOfLine(bytes, at: &next) else { return nil }
        let line = try parse(bytes.extracting(position..<end))
        position = next
        return line
    }

    private static func parse(_ line: Span<UInt8>) throws(HeadError) -> StatusLine {
        guard line.count >= 12, line[8] == ASCII.space, let code = ASCII.decimal(line.extracting(9..<12)) else {
            throw .malformedStatusLine
        }
        // The space before an empty reason is left out by some servers; that is harmless.
        if line.count > 12, line[12] != ASCII.space { throw .malformedStatusLine }
        if code < 100 || code > 599 { throw .malformedStatusLine }
        let version = try RequestLine.version(line.extracting(0..<8))
        return StatusLine(version: version, status: Status(UInt16(code)))
    }
}
