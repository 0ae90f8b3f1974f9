import Foundation

/// A connection that speaks HTTP/2 frame by frame, wrong ones too, in the hands of a test (RFC 9113 §4.1).
final class HTTP2Wire: @unchecked Sendable {
    struct Frame {
        let type: UInt8
        let flags: UInt8
        let stream: UInt32
        let payload: [UInt8]

        var isEnd: Bool { (type == 0 || type == 1) && flags & 1 != 0 }
        /// The number in RST_STREAM, and the second one of GOAWAY.
        var code: UInt32 {
            payload.suffix(type == 7 ? payload.count - 4 : 4).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        }
    }

    static let endStream: UInt8 = 1
    static let endHeaders: UInt8 = 4
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    let wire: Wire

    /// - Parameter settings: identifiers and values for the SETTINGS frame that follows the preface.
    init(_ sluice: SluiceProcess, settings: [(UInt16, UInt32)] = [], receiveBuffer: Int32? = nil) throws {
        wire = try Wire(port: sluice.ports[0], receiveBuffer: receiveBuffer)
        let payload = settings.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 0xFF)] + Self.big($0.1) }
        try wire.send(Self.preface + Self.frame(4, payload))
    }

    // MARK: Frames

    static func big(_ number: UInt32) -> [UInt8] {
        [UInt8(number >> 24), UInt8(number >> 16 & 0xFF), UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF)]
    }

    static func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        Array(big(UInt32(payload.count))[1...]) + [type, flags] + big(stream) + payload
    }

    static func headers(_ stream: UInt32, _ fields: [(String, String)], flags: UInt8 = endStream | endHeaders)
        -> [UInt8]
    {
        frame(1, flags: flags, stream: stream, block(fields))
    }

    static func data(_ stream: UInt32, _ text: String, flags: UInt8 = endStream) -> [UInt8] {
        frame(0, flags: flags, stream: stream, Array(text.utf8))
    }

    static func reset(_ stream: UInt32) -> [UInt8] { frame(3, stream: stream, big(8)) }

    static func get(_ path: String) -> [(String, String)] {
        [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "sluice.test")]
    }

    static func post(_ path: String = "/v1/chat/completions", _ more: [(String, String)] = []) -> [(String, String)] {
        [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "sluice.test")] + more
    }

    /// Literals without indexing and without Huffman coding (RFC 7541 §6.2.2).
    static func block(_ fields: [(String, String)]) -> [UInt8] { fields.flatMap { [0] + string($0.0) + string($0.1) } }

    static func string(_ text: String) -> [UInt8] {
        number(text.utf8.count, prefixBits: 7, first: 0) + Array(text.utf8)
    }

    /// An integer of HPACK (RFC 7541 §5.1).
    static func number(_ value: Int, prefixBits: Int, first: UInt8) -> [UInt8] {
        let most = 1 << prefixBits - 1
        if value < most { return [first | UInt8(value)] }
        var bytes = [first | UInt8(most)]
        var rest = value - most
        while rest >= 128 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    // MARK: Conversation

    func send(_ bytes: [UInt8]) throws { try wire.send(bytes) }

    /// The next frame; SETTINGS and PING are answered on the way.
    func next(by deadline: ContinuousClock.Instant = Patience.deadline) throws -> Frame? {
        while true {
            if wire.buffer.count < 9, try !receive(by: deadline) { return nil }
            if wire.buffer.count < 9 { continue }
            let head = wire.buffer.prefix(9)
            let count = head.prefix(3).reduce(0) { $0 << 8 | Int($1) }
            while wire.buffer.count < 9 + count { if try !receive(by: deadline) { return nil } }
            let bytes = try wire.take(9 + count)
            let stream = bytes[5..<9].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let frame = Frame(type: bytes[3], flags: bytes[4], stream: stream, payload: Array(bytes[9...]))
            if frame.type == 4, frame.flags & 1 == 0 { try? wire.send(Self.frame(4, flags: 1)) }
            if frame.type == 6, frame.flags & 1 == 0 { try? wire.send(Self.frame(6, flags: 1, frame.payload)) }
            return frame
        }
    }

    private func receive(by deadline: ContinuousClock.Instant) throws -> Bool {
        do {
            return try wire.receive(by: deadline)
        } catch Wire.Failure.reset {
            return false
        }
    }

    /// Frames up to the first that `matches`, that one included; up to the end of the connection if there is none.
    func frames(upTo matches: (Frame) -> Bool, by deadline: ContinuousClock.Instant = Patience.deadline) throws
        -> [Frame]
    {
        var frames: [Frame] = []
        while let frame = try next(by: deadline) {
            frames.append(frame)
            if matches(frame) { break }
        }
        return frames
    }

    /// Reads to the end of the connection.
    ///
    /// - Returns: the code of the last GOAWAY; `nil` if there was none.
    func goAwayCode(by deadline: ContinuousClock.Instant = Patience.deadline) throws -> UInt32? {
        try frames(upTo: { _ in false }, by: deadline).last { $0.type == 7 }?.code
    }

    /// What becomes of a stream: its status if it is in HPACK's static table, and how it ended.
    func answer(on stream: UInt32, by deadline: ContinuousClock.Instant = Patience.deadline) throws -> Answer {
        var answer = Answer()
        for frame in try frames(
            upTo: { ($0.stream == stream && ($0.type == 3 || $0.isEnd)) || $0.type == 7 }, by: deadline)
        {
            if frame.type == 7 { answer.goAwayCode = frame.code }
            if frame.stream != stream { continue }
            switch frame.type {
            case 0: answer.body += frame.payload
            case 1: answer.status = answer.status ?? Self.status(frame.payload)
            case 3: answer.resetCode = frame.code
            default: break
            }
            if frame.isEnd { answer.isComplete = true }
        }
        return answer
    }

    struct Answer {
        var status: Int?
        var body: [UInt8] = []
        var isComplete = false
        var resetCode: UInt32?
        var goAwayCode: UInt32?
    }

    private static func status(_ block: [UInt8]) -> Int? {
        // A change of the table's size may come before (RFC 7541 §6.3).
        guard let first = block.first(where: { $0 & 0xE0 != 0x20 && $0 < 0xE0 }), (0x88...0x8E).contains(first) else {
            return nil
        }
        return [200, 204, 206, 304, 400, 404, 500][Int(first) - 0x88]
    }
}
