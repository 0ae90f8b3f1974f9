/// HTTP/1.1 messages off a connection, one at a time: enough of RFC 9112 to frame what proxies send, and no more.
///
/// A lenient reader of its own: the benchmark must not share a parser, and so a bug, with what it measures.
struct MessageReader {
    enum Kind { case request, response }
    private enum Phase { case head, fixed, untilClose, chunkSize, chunkData, chunkEnd, trailers, complete }
    private static let headByteCountMax = 65_536
    /// How much of a request's body is kept: the `model` is its first member, or a later one where a proxy has sorted them.
    private static let bodyStartByteCountMax = 512

    let kind: Kind
    private(set) var status = 0
    private(set) var isReusable = true
    private(set) var isStarted = false
    private(set) var bodyByteCount = 0
    private(set) var bodyStart: [UInt8] = []
    private(set) var events = EventCounter()
    private var phase = Phase.head
    private var remaining = 0
    /// Whether what follows up to the line's end is a chunk extension, which says nothing to us.
    private var isInExtension = false
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
            if byte == HTTP1Byte.lineFeed {
                if lineByteCount == 0 {
                    for index in start..<offset { head.append(bytes[index]) }
                    return try interpretHead()
                }
                lineByteCount = 0
            } else if byte != HTTP1Byte.carriageReturn {
                lineByteCount = max(0, lineByteCount) + 1
            }
        }
        for index in start..<offset { head.append(bytes[index]) }
        if head.count > Self.headByteCountMax { throw Failure("a head of more than \(Self.headByteCountMax) bytes") }
    }

    /// Bytes since the last line feed, leaving out carriage returns.
    private static func lastLineByteCount(of head: [UInt8]) -> Int {
        let line = head[(head.lastIndex(of: HTTP1Byte.lineFeed).map { $0 + 1 } ?? 0)...]
        return line.count { $0 != HTTP1Byte.carriageReturn }
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
            if byte == HTTP1Byte.lineFeed {
                phase = remaining == 0 ? .trailers : .chunkData
                isInExtension = false
                return
            }
            isInExtension = isInExtension || byte == UInt8(ascii: ";")
            if isInExtension { continue }
            guard let digit = HTTP1Byte.hexadecimalValue(of: byte), remaining < 1 << 40 else {
                if byte == HTTP1Byte.carriageReturn { continue }
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
            if byte == HTTP1Byte.lineFeed {
                if phase == .trailers && remaining > 0 {
                    remaining = 0
                    continue
                }
                phase = phase == .trailers ? .complete : .chunkSize
                return
            }
            if byte != HTTP1Byte.carriageReturn && phase == .trailers { remaining += 1 }
        }
    }
}
