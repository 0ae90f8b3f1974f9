import SluiceCore

/// Writes HTTP/2 frames by hand, wrong ones too (RFC 9113 §4.1).
struct FrameWriter {
    private(set) var bytes: [UInt8] = []

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    static let endStream: UInt8 = 0x1
    static let acknowledge: UInt8 = 0x1
    static let endHeaders: UInt8 = 0x4
    static let padded: UInt8 = 0x8
    static let priority: UInt8 = 0x20

    mutating func raw(_ more: [UInt8]) { bytes += more }

    mutating func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) {
        bytes += [UInt8(payload.count >> 16 & 0xff), UInt8(payload.count >> 8 & 0xff), UInt8(payload.count & 0xff)]
        bytes += [type, flags] + Self.big(stream) + payload
    }

    mutating func data(_ stream: UInt32, _ body: [UInt8], flags: UInt8 = 0) {
        frame(0, flags: flags, stream: stream, body)
    }

    mutating func headers(
        _ stream: UInt32, _ fields: [(String, String)], flags: UInt8 = endStream | endHeaders, before: [UInt8] = []
    ) {
        frame(1, flags: flags, stream: stream, before + Self.block(fields))
    }

    mutating func reset(_ stream: UInt32, _ code: UInt32 = 8) { frame(3, stream: stream, Self.big(code)) }

    mutating func settings(_ entries: [(UInt16, UInt32)] = [], flags: UInt8 = 0, stream: UInt32 = 0) {
        let payload = entries.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 0xff)] + Self.big($0.1) }
        frame(4, flags: flags, stream: stream, payload)
    }

    mutating func ping(_ payload: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8], flags: UInt8 = 0, stream: UInt32 = 0) {
        frame(6, flags: flags, stream: stream, payload)
    }

    mutating func goAway(last: UInt32, code: UInt32 = 0) { frame(7, Self.big(last) + Self.big(code)) }

    mutating func windowUpdate(_ stream: UInt32, _ increment: UInt32) { frame(8, stream: stream, Self.big(increment)) }

    static func big(_ number: UInt32) -> [UInt8] {
        [UInt8(number >> 24), UInt8(number >> 16 & 0xff), UInt8(number >> 8 & 0xff), UInt8(number & 0xff)]
    }

    /// Literals without indexing (RFC 7541 §6.2.2).
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { [0] + string($0.0) + string($0.1) }
    }

    /// A string that is not Huffman-coded (RFC 7541 §5.2).
    static func string(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        if bytes.count < 127 { return [UInt8(bytes.count)] + bytes }
        var rest = bytes.count - 127
        var length: [UInt8] = [127]
        while rest >= 128 {
            length.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        return length + [UInt8(rest)] + bytes
    }

    static func get(_ path: String = "/v1/models") -> [(String, String)] {
        [(":method", "GET"), (":scheme", "https"), (":path", path), (":authority", "sluice.test")]
    }

    static func post(_ more: [(String, String)] = []) -> [(String, String)] {
        [(":method", "POST"), (":scheme", "https"), (":path", "/v1/chat"), (":authority", "sluice.test")] + more
    }
}

/// A frame as it was sent.
struct Frame: Equatable, CustomStringConvertible {
    var type: UInt8
    var flags: UInt8
    var stream: UInt32
    var payload: [UInt8]

    var description: String { "frame \(type) flags \(flags) stream \(stream), \(payload.count) bytes" }

    func number(at offset: Int) -> UInt32 {
        guard payload.count >= offset + 4 else { return .max }
        return payload[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The whole frames in some bytes, and what is left.
    static func read(_ bytes: inout [UInt8]) -> [Frame] {
        var frames: [Frame] = []
        var start = 0
        while bytes.count - start >= 9 {
            let length = Int(bytes[start]) << 16 | Int(bytes[start + 1]) << 8 | Int(bytes[start + 2])
            if bytes.count - start < 9 + length { break }
            let stream = bytes[start + 5..<start + 9].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            frames.append(
                Frame(
                    type: bytes[start + 3], flags: bytes[start + 4], stream: stream,
                    payload: Array(bytes[start + 9..<start + 9 + length])))
            start += 9 + length
        }
        bytes.removeFirst(start)
        return frames
    }
}
