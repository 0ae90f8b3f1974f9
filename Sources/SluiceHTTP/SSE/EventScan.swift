internal import SluiceCore

/// Finds the lines of one event and what they say (WHATWG HTML §9.2.6).
enum EventScan {
    /// Reads the event that begins at `start`; `nil` if the bytes end before its blank line does.
    ///
    /// - Parameters:
    ///   - joined: gets the data if there are several lines of it.
    ///   - cutReturn: set if the blank line is a CR at the very end, whose LF may be yet to come.
    static func event(
        in bytes: Span<UInt8>, from start: Int, joined: inout [UInt8], cutReturn: inout Bool
    ) -> EventParser.Event? {
        var event = EventParser.Event(at: start)
        var lineStart = start
        while true {
            let lineEnd = bytes.firstLineEnd(from: lineStart)
            if lineEnd == bytes.count { return nil }
            var next = lineEnd &+ 1
            let isReturn = bytes[lineEnd] == ASCII.carriageReturn
            if isReturn, next < bytes.count, bytes[next] == ASCII.lineFeed { next &+= 1 }
            if lineEnd == lineStart {
                cutReturn = isReturn && next == bytes.count && next == lineEnd &+ 1
                event.range = start..<next
                return event
            }
            read(bytes, lineStart, lineEnd, into: &event, joined: &joined)
            lineStart = next
        }
    }

    /// Finds the end of an event whose first bytes came earlier.
    ///
    /// - Parameters:
    ///   - last: the last of the bytes that came earlier.
    ///   - position: where to begin; moved to the event's end, or to the end of the bytes.
    /// - Returns: whether the event ended.
    static func findEnd(after last: UInt8, in bytes: Span<UInt8>, at position: inout Int, cutReturn: inout Bool) -> Bool
    {
        var isLineStart = last == ASCII.lineFeed || last == ASCII.carriageReturn
        if last == ASCII.carriageReturn, position < bytes.count, bytes[position] == ASCII.lineFeed { position += 1 }
        while position < bytes.count {
            let lineEnd = bytes.firstLineEnd(from: position)
            if lineEnd == bytes.count { break }
            let isBlank = isLineStart && lineEnd == position
            position = lineEnd &+ 1
            let isReturn = bytes[lineEnd] == ASCII.carriageReturn
            if isReturn, position < bytes.count, bytes[position] == ASCII.lineFeed {
                position &+= 1
            } else if isReturn, isBlank, position == bytes.count {
                cutReturn = true
            }
            if isBlank { return true }
            isLineStart = true
        }
        position = bytes.count
        return false
    }

    // MARK: Lines

    @inline(__always) private static func read(
        _ bytes: Span<UInt8>, _ start: Int, _ end: Int, into event: inout EventParser.Event, joined: inout [UInt8]
    ) {
        if let value = value(of: "data", bytes, start, end) {
            if event.kind == .message { return join(bytes, value, into: &event, joined: &joined) }
            event.kind = .message
            event.data = value
        } else if bytes[start] == UInt8(ascii: ":") {
            if event.kind == .blank { event.kind = .comment }
        } else {
            readRare(bytes, start, end, into: &event)
        }
    }

    @inline(never) private static func join(
        _ bytes: Span<UInt8>, _ value: Range<Int>, into event: inout EventParser.Event, joined: inout [UInt8]
    ) {
        if event.dataPlace != .joined {
            event.dataPlace = .joined
            joined.removeAll(keepingCapacity: true)
            joined.append(copying: bytes.extracting(event.data))
        }
        joined.append(ASCII.lineFeed)
        joined.append(copying: bytes.extracting(value))
    }

    @inline(never) private static func readRare(
        _ bytes: Span<UInt8>, _ start: Int, _ end: Int, into event: inout EventParser.Event
    ) {
        if event.kind != .message { event.kind = .fields }
        if let value = value(of: "event", bytes, start, end) {
            event.name = value
        } else if let value = value(of: "id", bytes, start, end) {
            // An id with a NUL is ignored.
            if bytes.extracting(value).firstIndex(of: 0) != nil { return }
            event.id = value
            event.hasID = true
        } else if let value = value(of: "retry", bytes, start, end),
            let milliseconds = ASCII.decimal(bytes.extracting(value))
        {
            event.retryMilliseconds = milliseconds
        }
    }

    /// Where the value of a line stands if the line is a field of that name. One space after the colon is no part of it.
    @inline(__always) private static func value(
        of name: StaticString, _ bytes: Span<UInt8>, _ start: Int, _ end: Int
    ) -> Range<Int>? {
        let colon = start &+ name.utf8CodeUnitCount
        if end < colon { return nil }
        let letters = unsafe name.utf8Start
        for index in 0..<name.utf8CodeUnitCount where unsafe bytes[start &+ index] != letters[index] { return nil }
        if end == colon { return end..<end }
        if bytes[colon] != UInt8(ascii: ":") { return nil }
        let value = colon &+ 1
        return value < end && bytes[value] == ASCII.space ? value &+ 1..<end : value..<end
    }
}
