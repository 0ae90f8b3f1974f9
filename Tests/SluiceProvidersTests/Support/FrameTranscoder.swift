import Foundation
import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluiceProviders

/// Streams in Amazon's framing, made of the transcripts of the fact sheet and read back.
enum FrameTranscoder {
    /// One frame with headers that are strings.
    static func frame(_ headers: [(String, String)], _ payload: String) -> [UInt8] {
        var head: [UInt8] = []
        for (name, value) in headers {
            head += [UInt8(name.utf8.count)] + Array(name.utf8) + [7]
            head += [UInt8(value.utf8.count >> 8), UInt8(value.utf8.count & 0xFF)] + Array(value.utf8)
        }
        let body = Array(payload.utf8)
        var frame = bigEndian(UInt32(16 + head.count + body.count)) + bigEndian(UInt32(head.count))
        frame += bigEndian(CRC32.checksum(frame.span))
        frame += head + body
        return frame + bigEndian(CRC32.checksum(frame.span))
    }

    private static func bigEndian(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> UInt32($0)) }
    }

    /// A transcript: a JSON line a frame, with `event` or `exception`, and `payload`.
    static func frames(_ transcript: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        for line in transcript.split(separator: "\n") where line.hasPrefix("{") {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            let payload = try JSONSerialization.data(withJSONObject: object["payload"] ?? [:])
            let kind = object["event"] == nil ? "exception" : "event"
            let name = object[kind] as? String ?? ""
            bytes += frame(
                [(":\(kind)-type", name), (":content-type", "application/json"), (":message-type", kind)],
                String(decoding: payload, as: UTF8.self))
        }
        return bytes
    }

    /// - Returns: whether the decoder found the answer complete.
    @discardableResult
    static func stream(_ pieces: [[UInt8]], into sink: any ReplySink) throws -> Bool {
        let decoder = ConverseDialect().makeDecoder()
        let tape = JSONTape()
        var parser = EventStreamParser()
        for piece in pieces {
            let bytes = piece.span
            var offset = 0
            while let frame = try parser.next(in: bytes, at: &offset) {
                let data = parser.payload(of: frame, in: bytes)
                guard (try? tape.scan(data)) != nil else { continue }
                let root = tape.root(over: data)
                if parser.messageType(of: frame, in: bytes).equals("exception") {
                    decoder.decode(event: root, named: parser.exceptionType(of: frame, in: bytes), into: sink)
                } else {
                    decoder.decode(event: root, named: parser.eventType(of: frame, in: bytes), into: sink)
                }
            }
        }
        return decoder.end(into: sink)
    }

    static func pieces(_ bytes: [UInt8], _ random: inout SplitMix64) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + 1 + Int(random.next() % 60))
            pieces.append(Array(bytes[start..<end]))
            start = end
        }
        return pieces
    }
}
