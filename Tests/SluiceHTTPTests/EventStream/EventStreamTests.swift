import SluiceCore
import SluiceHTTP
import TestSupport
import Testing

@Suite struct `AWS event streams` {
    typealias Samples = EventStreamSamples

    struct Seen: Equatable {
        var message = ""
        var event = ""
        var exception = ""
        var payload = ""
        var raw: [UInt8] = []
    }

    struct Result: Equatable {
        var frames: [Seen] = []
        var error: EventStreamError?
        var isCut = false
    }

    func read(
        _ bytes: [UInt8], cuts: [Int] = [], limits: EventStreamLimits = EventStreamLimits()
    ) -> Result {
        var parser = EventStreamParser(limits: limits)
        var result = Result()
        var start = 0
        do throws(EventStreamError) {
            for end in cuts + [bytes.count] {
                let piece = bytes.span.extracting(start..<end)
                var offset = 0
                while let frame = try parser.next(in: piece, at: &offset) {
                    let raw = ByteBuffer(copying: parser.raw(frame, in: piece))
                    result.frames.append(
                        Seen(
                            message: String(decoding: parser.messageType(of: frame, in: piece)),
                            event: String(decoding: parser.eventType(of: frame, in: piece)),
                            exception: String(decoding: parser.exceptionType(of: frame, in: piece)),
                            payload: String(decoding: parser.payload(of: frame, in: piece)),
                            raw: (0..<raw.count).map { raw[$0] }))
                }
                #expect(offset == piece.count)
                start = end
            }
            result.isCut = parser.isInsideFrame
            #expect(parser.isInsideFrame || parser.carriedByteCount == 0)
        } catch {
            result.error = error
        }
        return result
    }

    @Test func `the shortest frame says nothing, and one without headers has its payload`() {
        #expect(read(Samples.empty) == Result(frames: [Seen(raw: Samples.empty)]))
        #expect(read(Samples.bare) == Result(frames: [Seen(payload: "{'foo':'bar'}", raw: Samples.bare)]))
    }

    @Test func `an exception has its type and its message`() {
        let frame = read(Samples.exception).frames.first
        #expect(frame?.message == "exception" && frame?.exception == "throttlingException" && frame?.event == "")
        #expect(frame?.payload == #"{"message":"Too many requests, please wait before trying again."}"#)
    }

    @Test func `a whole answer reads as its five events`() {
        let result = read(Samples.answer)
        #expect(
            result.frames.map(\.event)
                == ["messageStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"])
        #expect(result.frames.allSatisfy { $0.message == "event" })
        #expect(result.frames.map(\.raw.count) == [129, 163, 134, 132, 195])
        #expect(result.frames[1].payload == #"{"contentBlockIndex":0,"delta":{"text":"Hi"},"p":"abcdefgh"}"#)
        #expect(result.frames.flatMap(\.raw) == Samples.answer && !result.isCut)
    }

    @Test func `how the bytes were split does not change what they say`() {
        let bytes = Samples.answer + Samples.empty + Samples.exception
        let whole = read(bytes)
        #expect(whole.frames.count == 7)
        for cut in 0...bytes.count { #expect(read(bytes, cuts: [cut]) == whole, "cut at \(cut)") }
        #expect(read(bytes, cuts: Array(1..<bytes.count)) == whole)
        for seed in SplitMix64.seeds(200) {
            var random = SplitMix64(seed)
            let cuts = (0..<6).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
            #expect(read(bytes, cuts: cuts) == whole, "seed \(seed)")
        }
    }

    @Test func `every changed bit is found`() {
        for index in Samples.bare.indices {
            for bit in 0..<8 {
                var bytes = Samples.bare
                bytes[index] ^= 1 << bit
                #expect(read(bytes).error == (index < 12 ? .preludeChecksum : .messageChecksum), "byte \(index)")
            }
        }
    }

    @Test func `a frame without its last byte is not there yet`() {
        #expect(read(Samples.bare.dropLast()) == Result(isCut: true))
        #expect(read(Array(Samples.bare.prefix(3))) == Result(isCut: true))
    }

    @Test func `lengths that cannot be are refused`() {
        #expect(read(Samples.frame(headersByteCount: 1)).error == .impossibleLength)
        #expect(read(Samples.frame(headersByteCount: 0xFFFF_FFFF)).error == .impossibleLength)
        let short = Samples.number(15) + Samples.number(0)
        #expect(read(short + Samples.number(Int(Samples.slowCRC(short)))).error == .impossibleLength)
    }

    @Test func `a frame is as large as the limits and no larger, and known to be before it has arrived`() {
        var limits = EventStreamLimits()
        limits.headersBytesMax = 4
        limits.payloadBytesMax = 10
        let header: [UInt8] = [2, 0x61, 0x62, 0]
        let ten = [UInt8](repeating: 0x61, count: 10)
        #expect(read(Samples.frame(headers: header, payload: ten), limits: limits).frames.count == 1)
        let longer = Samples.frame(payload: ten + ten).prefix(12)
        #expect(read(Array(longer), limits: limits).error == .payloadTooLong(bytesMax: 10))
        let headers = Samples.frame(headers: header + header).prefix(12)
        #expect(read(Array(headers), limits: limits).error == .headersTooLong(bytesMax: 4))
        let huge = Samples.number(0xFFFF_FFFF) + Samples.number(0)
        #expect(
            read(huge + Samples.number(Int(Samples.slowCRC(huge)))).error == .payloadTooLong(bytesMax: 25_165_824))
    }

    @Test func `headers of every type are read`() throws {
        func named(_ name: String, _ rest: [UInt8]) -> [UInt8] { [UInt8(name.utf8.count)] + Array(name.utf8) + rest }
        let headers =
            named("yes", [0]) + named("no", [1]) + named("i8", [2, 0xFF]) + named("i16", [3, 0xFF, 0xFE])
            + named("i32", [4, 0, 1, 0, 0]) + named("i64", [5, 0x80, 0, 0, 0, 0, 0, 0, 0])
            + named("bytes", [6, 0, 2, 9, 8]) + named("text", [7, 0, 2, 0x68, 0x69])
            + named("time", [8, 0, 0, 0, 0, 0, 0, 3, 0xE8]) + named("id", [9] + [UInt8](0..<16))
        let bytes = Samples.frame(headers: headers, payload: [])
        var parser = EventStreamParser()
        var offset = 0
        let frame = try #require(try parser.next(in: bytes.span, at: &offset))
        func int(_ name: StaticString) -> Int? { parser.header(name, of: frame, in: bytes.span)?.int }
        #expect(
            int("i8") == -1 && int("i16") == -2 && int("i32") == 65_536 && int("i64") == Int.min && int("time") == 1000)
        #expect(int("text") == nil && int("none") == nil)
        let yes = parser.header("yes", of: frame, in: bytes.span)?.bool
        let no = parser.header("no", of: frame, in: bytes.span)?.bool
        #expect(yes == true && no == false)
        var text = ""
        if let string = parser.header("text", of: frame, in: bytes.span)?.string { text = String(decoding: string) }
        #expect(text == "hi")
        let idByteCount = parser.header("id", of: frame, in: bytes.span)?.value.count
        #expect(idByteCount == 16)
    }

    @Test(
        arguments: [
            [1], [0, 7], [1, 0x61], [1, 0x61, 10], [1, 0x61, 7], [1, 0x61, 7, 0], [1, 0x61, 7, 0, 1], [1, 0x61, 5, 0],
            [1, 0x61, 6, 0xFF, 0xFF, 1], [5, 0x61, 0], [1, 0x61, 9, 0],
        ] as [[UInt8]])
    func `headers that end where they cannot are refused`(headers: [UInt8]) {
        #expect(read(Samples.frame(headers: headers)).error == .malformedHeader)
    }

    @Test func `noise in headers neither traps nor depends on how it was split`() {
        for seed in SplitMix64.seeds(1_000) {
            var random = SplitMix64(seed)
            let headers = (0..<Int.random(in: 0...24, using: &random)).map { _ in
                UInt8.random(in: 0...12, using: &random)
            }
            var bytes = Samples.frame(headers: headers, payload: [1, 2, 3]) + Samples.bare
            if Bool.random(using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] ^= UInt8.random(in: 1 ... .max, using: &random)
            }
            let cuts = (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
            #expect(read(bytes, cuts: cuts) == read(bytes), "seed \(seed)")
        }
    }

    @Test func `the CRC is the one of zlib, at every length and in any pieces`() {
        #expect(CRC32.checksum("123456789".utf8Span.span) == 0xCBF4_3926)
        let bytes = (0..<70).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        for end in 0...bytes.count {
            let part = Array(bytes[..<end])
            #expect(CRC32.checksum(part.span) == Samples.slowCRC(part))
            let first = CRC32.checksum(part.span.extracting(0..<end / 3))
            #expect(CRC32.checksum(part.span.extracting(end / 3..<end), after: first) == Samples.slowCRC(part))
        }
    }
}
