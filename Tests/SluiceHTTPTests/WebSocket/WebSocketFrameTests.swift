import SluiceCore
import SluiceHTTP
import TestSupport
import Testing

@Suite struct `WebSocket frames` {
    struct Seen: Equatable {
        let kind: WebSocketFrameParser.Event.Kind
        let payload: [UInt8]
        init(_ kind: WebSocketFrameParser.Event.Kind, _ payload: [UInt8] = []) {
            (self.kind, self.payload) = (kind, payload)
        }
        init(_ kind: WebSocketFrameParser.Event.Kind, _ text: String) { self.init(kind, Array(text.utf8)) }
    }

    struct Result: Equatable {
        var events: [Seen] = []
        var error: WebSocketError?
        var isInside = false
        var isClosed = false
    }

    func read(_ bytes: [UInt8], cuts: [Int] = [], bytesMax: Int = 1_048_576) -> Result {
        var parser = WebSocketFrameParser(messageBytesMax: bytesMax)
        var result = Result()
        var start = 0
        do throws(WebSocketError) {
            for end in cuts + [bytes.count] {
                let piece = bytes.span.extracting(start..<end)
                var offset = 0
                while let event = try parser.next(in: piece, at: &offset) {
                    let payload = parser.payload(of: event, in: piece)
                    var bytes: [UInt8] = []
                    for index in payload.indices { bytes.append(payload[index]) }
                    result.events.append(Seen(event.kind, bytes))
                }
                #expect(offset == piece.count)
                start = end
            }
            result.isInside = parser.isInsideMessage
            result.isClosed = parser.isClosed
        } catch {
            result.error = error
        }
        return result
    }

    func frame(_ first: UInt8, _ payload: [UInt8]) -> [UInt8] {
        switch payload.count {
        case 0...125: [first, UInt8(payload.count)] + payload
        case 126...65_535: [first, 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)] + payload
        default: [first, 127] + (0..<8).map { UInt8(payload.count >> (56 - 8 * $0) & 255) } + payload
        }
    }

    @Test func `the examples of RFC 6455 read as it says`() {
        #expect(read([0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]).events == [Seen(.text, "Hello")])
        #expect(read([0x01, 0x03, 0x48, 0x65, 0x6C, 0x80, 0x02, 0x6C, 0x6F]).events == [Seen(.text, "Hello")])
        #expect(read([0x89, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]).events == [Seen(.ping, "Hello")])
        let middling = [UInt8](repeating: 7, count: 256)
        #expect(read([0x82, 0x7E, 0x01, 0x00] + middling).events == [Seen(.binary, middling)])
        let long = [UInt8](repeating: 9, count: 65_536)
        #expect(read([0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0] + long).events == [Seen(.binary, long)])
    }

    @Test func `control frames may stand inside a message, and a character across its frames`() {
        let bytes = frame(0x01, [0xE4, 0xBD]) + frame(0x89, [1, 2]) + frame(0x00, []) + frame(0x80, [0xA0])
        #expect(read(bytes).events == [Seen(.ping, [1, 2]), Seen(.text, "你")])
    }

    @Test func `a close has a code and a reason, and nothing is read after it`() {
        let bytes = frame(0x88, [0x03, 0xE8] + Array("bye".utf8))
        #expect(read(bytes + frame(0x81, [0x41])).events == [Seen(.close(.normal), "bye")])
        #expect(read(bytes + [0xFF, 0xFF]).error == nil)
        #expect(read(bytes).isClosed)
        #expect(read(frame(0x88, [])).events == [Seen(.close(nil))])
    }

    @Test(
        arguments: [
            ([0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D], WebSocketError.maskedFrame),
            ([0xC1, 0x00], .reservedBit), ([0xA1, 0x00], .reservedBit), ([0x91, 0x00], .reservedBit),
            ([0x83, 0x00], .unknownOpcode(3)), ([0x8B, 0x00], .unknownOpcode(11)),
            ([0x09, 0x00], .controlFrameFragmented),
            ([0x89, 0x7E], .controlFrameTooLong), ([0x88, 0x7F], .controlFrameTooLong),
            ([0x82, 0x7E, 0x00, 0x7D], .lengthNotMinimal),
            ([0x82, 0x7F, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], .lengthNotMinimal),
            ([0x82, 0x7F, 0x80, 0, 0, 0, 0, 1, 0, 0], .lengthNotMinimal), ([0x80, 0x00], .continuationOfNothing),
            ([0x01, 0x00, 0x81, 0x00], .messageInsideMessage), ([0x88, 0x01, 0x03], .malformedClose),
            ([0x88, 0x02, 0x03, 0xED], .malformedClose), ([0x88, 0x02, 0x03, 0xEE], .malformedClose),
            ([0x88, 0x02, 0x0B, 0xB7], .malformedClose), ([0x88, 0x03, 0x03, 0xE8, 0xFF], .notUTF8),
            ([0x81, 0x01, 0xC3], .notUTF8), ([0x81, 0x03, 0xED, 0xA0, 0x80], .notUTF8),
            ([0x82, 0x7F, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], .messageTooLong(bytesMax: 1_048_576)),
        ] as [([UInt8], WebSocketError)])
    func `what a server must not send is refused, however it arrives`(bytes: [UInt8], error: WebSocketError) {
        #expect(read(bytes).error == error)
        #expect(read(bytes, cuts: Array(1..<bytes.count)).error == error)
    }

    @Test func `a message is as long as the limit and no longer, over all its frames`() {
        let half = [UInt8](repeating: 0x61, count: 50)
        #expect(read(frame(0x02, half) + frame(0x80, half), bytesMax: 100).events == [Seen(.binary, half + half)])
        let more = frame(0x02, half) + frame(0x80, half + [0x61])
        #expect(read(more, bytesMax: 100).error == .messageTooLong(bytesMax: 100))
        #expect(WebSocketError.messageTooLong(bytesMax: 1).closeCode.value == 1009)
        #expect(WebSocketError.notUTF8.closeCode.value == 1007 && WebSocketError.reservedBit.closeCode.value == 1002)
    }

    @Test func `how the bytes were split does not change what they say`() {
        let long = Array(String(repeating: "héllo, 世界 ", count: 20).utf8)
        var bytes = frame(0x81, Array("one".utf8)) + frame(0x01, Array(long[..<41])) + frame(0x8A, [9])
        bytes += frame(0x00, Array(long[41..<200])) + frame(0x89, [UInt8](repeating: 3, count: 125))
        bytes += frame(0x80, Array(long[200...])) + frame(0x82, []) + frame(0x88, [0x0F, 0xA0, 0x78])
        let whole = read(bytes)
        #expect(whole.events.count == 6 && whole.error == nil)
        for cut in 0...bytes.count { #expect(read(bytes, cuts: [cut]) == whole, "cut at \(cut)") }
        #expect(read(bytes, cuts: Array(1..<bytes.count)) == whole)
    }

    @Test func `noise neither traps nor depends on how it was split`() {
        for seed in SplitMix64.seeds(2_000) {
            var random = SplitMix64(seed)
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let payload = (0..<Int.random(in: 0...140, using: &random)).map { _ in
                    UInt8.random(in: 32...126, using: &random)
                }
                bytes += frame(
                    [0x81, 0x01, 0x80, 0x00, 0x89, 0x8A, 0x82, 0x88].randomElement(using: &random)!, payload)
            }
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
            }
            let cuts = (0..<5).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
            #expect(read(bytes, cuts: cuts, bytesMax: 300) == read(bytes, bytesMax: 300), "seed \(seed)")
        }
    }

    @Test func `a reading that ends inside something says so`() {
        #expect(!read(frame(0x81, [0x41])).isInside)
        #expect(read([0x81]).isInside && read([0x81, 0x02, 0x41]).isInside && read([0x01, 0x01, 0x41]).isInside)
    }

    // MARK: Writing

    func written(_ write: (ByteBuffer) -> Void) -> [UInt8] {
        let buffer = ByteBuffer()
        write(buffer)
        return buffer.bytes
    }

    @Test func `frames of a client are masked`() {
        #expect(
            written { WebSocketFrameWriter.text("Hello".utf8Span.span, mask: 0x37FA_213D, into: $0) }
                == [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58])
        #expect(
            written { WebSocketFrameWriter.pong("Hello".utf8Span.span, mask: 0x37FA_213D, into: $0) }
                == [0x8A, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58])
        #expect(
            written { WebSocketFrameWriter.close(.normal, mask: 0x0102_0304, into: $0) }
                == [0x88, 0x82, 1, 2, 3, 4, 0x02, 0xEA])
        #expect(written { WebSocketFrameWriter.close(nil, mask: 0, into: $0) } == [0x88, 0x80, 0, 0, 0, 0])
    }

    @Test(arguments: [0, 125, 126, 65_535, 65_536])
    func `a length takes as few bytes as it can`(byteCount: Int) {
        let payload = [UInt8](repeating: 0x61, count: byteCount)
        var bytes = written { WebSocketFrameWriter.text(payload.span, mask: 0, into: $0) }
        let headByteCount = bytes.count - byteCount - 4
        #expect(bytes[1] & 0x80 != 0)
        bytes[1] &= 0x7F  // as a server would have sent it
        bytes.removeSubrange(headByteCount..<headByteCount + 4)
        #expect(read(bytes).events == [Seen(.text, payload)])
    }
}

extension ByteBuffer {
    fileprivate var bytes: [UInt8] { (0..<count).map { self[$0] } }
}
