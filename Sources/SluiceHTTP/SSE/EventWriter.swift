package import SluiceCore

/// Writes `text/event-stream` (WHATWG HTML §9.2).
package enum EventWriter {
    /// One event that has only data. Each line of it gets a `data:` of its own; CR, LF and CRLF all end a line.
    package static func data(_ data: Span<UInt8>, into buffer: ByteBuffer) {
        lines(of: data, label: "data: ", into: buffer)
        buffer.append(ASCII.lineFeed)
    }

    /// One event with a name. Line ends in the name are left out.
    package static func event(_ name: Span<UInt8>, data: Span<UInt8>, into buffer: ByteBuffer) {
        self.name(name, into: buffer)
        self.data(data, into: buffer)
    }

    package static func event(_ name: StaticString, data: Span<UInt8>, into buffer: ByteBuffer) {
        event(
            unsafe UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount).span, data: data,
            into: buffer)
    }

    /// The `event:` line alone, to be followed by `data`.
    package static func name(_ name: Span<UInt8>, into buffer: ByteBuffer) {
        buffer.append("event: ")
        var start = 0
        while start < name.count {
            let end = name.firstLineEnd(from: start)
            buffer.append(name.extracting(start..<end))
            start = end + 1
        }
        buffer.append(ASCII.lineFeed)
    }

    /// A comment, which receivers ignore; every line of it.
    package static func comment(_ text: Span<UInt8>, into buffer: ByteBuffer) {
        lines(of: text, label: ": ", into: buffer)
        buffer.append(ASCII.lineFeed)
    }

    /// What is sent into a silence so that nobody on the way takes the stream for dead.
    package static func keepAlive(into buffer: ByteBuffer) { buffer.append(": keep-alive\n\n") }

    private static func lines(of text: Span<UInt8>, label: StaticString, into buffer: ByteBuffer) {
        buffer.reserve(text.count + label.utf8CodeUnitCount + 2)
        var start = 0
        while true {
            let end = text.firstLineEnd(from: start)
            buffer.append(label)
            buffer.append(text.extracting(start..<end))
            buffer.append(ASCII.lineFeed)
            if end == text.count { return }
            let isPair = text[end] == ASCII.carriageReturn && end + 1 < text.count && text[end + 1] == ASCII.lineFeed
            start = isPair ? end + 2 : end + 1
        }
    }
}
