internal import Glibc

/// HTTP/1.1 messages off a connection, one at a time: enough of RFC 9112 to frame what proxies send, and no more.
///
/// A lenient reader of its own: the benchmark must not share a parser, and so a bug, with what it measures.
struct MessageReader {
    enum Kind { case request, response }
    private enum Phase { case head, fixed, untilClose, chunkSize, chunkData, chunkEnd, trailers, complete }
    private static let headByteCountMax = 65_536
    /// How much of a request's body is kept: the `model` is its first member.
    private static let bodyStartByteCountMax = 128

    let kind: Kind
    private(set) var status = 0
    private(set) var isReusable = true
    private(set) var isStarted = false
    private(set) var bodyByteCount = 0
    private(set) var bodyStart: [UInt8] = []
    private(set) var events = EventCounter()
    private var phase = Phase.head
    private var remaining = 0
    private var head: [UInt8] = []

    init(_ kind: Kind) { self.kind = kind }

    var isComplete: Bool { phase == .complete }

    /// Whether the end of the connection is the end of the message (RFC 9112 §6.3, item 8).
    var endsWithConnection: Bool { phase == .untilClose }

    /// Gets ready for the next message.
    mutating func restart() { self = MessageReader(kind) }

    /// Takes bytes up to the end of the message and says how many that were.
    mutating func consume(_ bytes: Span<UInt8>) throws(Failure) -> Int {
        var offset = 0
        isStarted = isStarted || bytes.count > 0
        while offset < bytes.count && phase != .complete {
            switch phase {
            case .head: try readHead(bytes, &offset)
            case .fixed, .chunkData, .untilClose: readBody(bytes, &offset)
            case .chunkSize: try readChunkSize(bytes, &offset)
            case .chunkEnd, .trailers: readLineEnd(bytes, &offset)
            case .complete: break
            }
        }
        return offset
    }

    private mutating func readHead(_ bytes: Span<UInt8>, _ offset: inout Int) throws(Failure) {
        let start = offset
        var lineByteCount = head.isEmpty ? -1 : Self.lastLineByteCount(of: head)
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            if byte == Byte.lineFeed {
                if lineByteCount == 0 {
                    for index in start..<offset { head.append(bytes[index]) }
                    return try interpretHead()
                }
                lineByteCount = 0
            } else if byte != Byte.carriageReturn {
                lineByteCount = max(0, lineByteCount) + 1
            }
        }
        for index in start..<offset { head.append(bytes[index]) }
        if head.count > Self.headByteCountMax { throw Failure("a head of more than \(Self.headByteCountMax) bytes") }
    }

    /// Bytes since the last line feed, leaving out carriage returns.
    private static func lastLineByteCount(of head: [UInt8]) -> Int {
        let line = head[(head.lastIndex(of: Byte.lineFeed).map { $0 + 1 } ?? 0)...]
        return line.count { $0 != Byte.carriageReturn }
    }

    private mutating func interpretHead() throws(Failure) {
        var contentLength: Int?
        var isChunked = false
        for line in HeadLines(head) {
            if let value = line.value(of: "content-length") { contentLength = Int(value) }
            if let value = line.value(of: "transfer-encoding") { isChunked = value.lowercased() == "chunked" }
            if let value = line.value(of: "connection"), value.lowercased() == "close" { isReusable = false }
        }
        if kind == .response { try interpretStatusLine() }
        head.removeAll(keepingCapacity: true)
        if kind == .response && (100..<200).contains(status) { return }
        if isChunked {
            phase = .chunkSize
        } else if let contentLength {
            remaining = contentLength
            phase = contentLength == 0 ? .complete : .fixed
        } else if kind == .request || status == 204 || status == 304 {
            phase = .complete
        } else {
            isReusable = false
            phase = .untilClose
        }
    }

    /// `HTTP/1.1 200 OK`.
    private mutating func interpretStatusLine() throws(Failure) {
        guard head.count > 12, head.starts(with: "HTTP/1.".utf8) else {
            throw Failure("not an HTTP/1.1 reply: \(String(decoding: head.prefix(40), as: UTF8.self))")
        }
        status = head[9..<12].reduce(0) { $0 * 10 + Int($1 & 0x0F) }
    }

    private mutating func readBody(_ bytes: Span<UInt8>, _ offset: inout Int) {
        let available = bytes.count - offset
        let count = phase == .untilClose ? available : min(remaining, available)
        let part = bytes.extracting(offset..<offset + count)
        offset += count
        remaining -= count
        bodyByteCount += count
        if kind == .response { events.count(part) } else { keepStart(of: part) }
        guard remaining <= 0 else { return }
        switch phase {
        case .fixed: phase = .complete
        case .chunkData: phase = .chunkEnd
        default: break
        }
    }

    private mutating func keepStart(of part: Span<UInt8>) {
        for index in 0..<min(part.count, Self.bodyStartByteCountMax - bodyStart.count) { bodyStart.append(part[index]) }
    }

    private mutating func readChunkSize(_ bytes: Span<UInt8>, _ offset: inout Int) throws(Failure) {
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            if byte == Byte.lineFeed {
                phase = remaining == 0 ? .trailers : .chunkData
                return
            }
            guard let digit = Byte.hexadecimalValue(of: byte), remaining < 1 << 40 else {
                if byte == Byte.carriageReturn { continue }
                throw Failure("a chunk size that is not a number")
            }
            remaining = remaining << 4 | digit
        }
    }

    /// The end of a chunk's data, or the trailer section: there `remaining` counts the bytes of the current line.
    private mutating func readLineEnd(_ bytes: Span<UInt8>, _ offset: inout Int) {
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            if byte == Byte.lineFeed {
                if phase == .trailers && remaining > 0 {
                    remaining = 0
                    continue
                }
                phase = phase == .trailers ? .complete : .chunkSize
                return
            }
            if byte != Byte.carriageReturn && phase == .trailers { remaining += 1 }
        }
    }
}

/// The bytes that the framing looks for.
private enum Byte {
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")

    static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == carriageReturn
    }

    static func hexadecimalValue(of byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }
}

/// The field lines of a head, without its first line.
private struct HeadLines: Sequence, IteratorProtocol {
    private let head: [UInt8]
    private var offset: Int

    init(_ head: [UInt8]) {
        self.head = head
        offset = head.firstIndex(of: Byte.lineFeed).map { $0 + 1 } ?? head.count
    }

    mutating func next() -> HeadLine? {
        guard offset < head.count, let end = head[offset...].firstIndex(of: Byte.lineFeed) else { return nil }
        defer { offset = end + 1 }
        return HeadLine(bytes: head[offset..<end])
    }
}

private struct HeadLine {
    let bytes: ArraySlice<UInt8>

    /// The field's value, if this is the field. The name is given in lower case.
    func value(of name: StaticString) -> String? {
        let nameByteCount = name.utf8CodeUnitCount
        guard bytes.count > nameByteCount, bytes[bytes.startIndex + nameByteCount] == UInt8(ascii: ":") else { return nil }
        for index in 0..<nameByteCount {
            let expected = unsafe name.utf8Start[index]
            guard bytes[bytes.startIndex + index] | 0x20 == expected | 0x20 else { return nil }
        }
        let value = bytes.dropFirst(nameByteCount + 1)
        guard let first = value.firstIndex(where: { !Byte.isBlank($0) }),
            let last = value.lastIndex(where: { !Byte.isBlank($0) })
        else { return "" }
        return String(decoding: value[first...last], as: UTF8.self)
    }
}

/// Counts the events of a `text/event-stream` by their `data` lines; keep-alive comments do not count.
struct EventCounter {
    private(set) var count = 0
    private var isAtLineStart = true

    mutating func count(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard var position = buffer.baseAddress else { return }
            let end = unsafe position + buffer.count
            while unsafe position < end {
                if unsafe isAtLineStart && position.pointee == UInt8(ascii: "d") { count += 1 }
                guard let lineFeed = unsafe memchr(position, Int32(UInt8(ascii: "\n")), end - position) else {
                    isAtLineStart = false
                    return
                }
                isAtLineStart = true
                unsafe position = UnsafePointer(lineFeed.assumingMemoryBound(to: UInt8.self)) + 1
            }
        }
    }
}
