import SluiceCore
import Testing

/// The examples of protobuf.dev/programming-guides/encoding, byte for byte.
@Suite struct `Protocol buffers` {
    private func written(_ body: (ProtobufWriter) -> Void) -> [UInt8] {
        let buffer = ByteBuffer()
        body(ProtobufWriter(into: buffer))
        return (0..<buffer.count).map { buffer[$0] }
    }

    @Test func `a varint has the lowest bits first`() {
        #expect(written { $0.varint(1) } == [0x01])
        #expect(written { $0.varint(150) } == [0x96, 0x01])
        #expect(written { $0.varint(0) } == [0x00])
        #expect(written { $0.varint(127) } == [0x7F])
        #expect(written { $0.varint(128) } == [0x80, 0x01])
        let longest: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]
        #expect(written { $0.varint(.max) } == longest)
    }

    @Test func `an int32 of 150 in field 1`() {
        #expect(written { $0.int(1, 150) } == [0x08, 0x96, 0x01])
    }

    @Test func `a negative number takes ten bytes`() {
        #expect(
            written { $0.int(1, -2) }
                == [0x08, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01])
    }

    @Test func `signed numbers in zigzag`() {
        let examples: [(Int64, UInt64)] = [
            (0, 0), (-1, 1), (1, 2), (-2, 3), (0x7FFF_FFFF, 0xFFFF_FFFE), (-0x8000_0000, 0xFFFF_FFFF),
            (.max, .max - 1), (.min, .max),
        ]
        for (value, encoded) in examples { #expect(ProtobufWriter.zigzag(value) == encoded) }
        #expect(written { $0.zigzag(1, -2) } == [0x08, 0x03])
    }

    @Test func `a string of seven bytes in field 2`() {
        let bytes: [UInt8] = [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6E, 0x67]
        #expect(written { $0.string(2, "testing") } == bytes)
        let text = "testing"
        #expect(written { $0.string(2, text) } == bytes)
        #expect(written { $0.bytes(2, text.utf8Span.span) } == bytes)
    }

    @Test func `a message within a message`() {
        #expect(written { $0.message(3) { $0.int(1, 150) } } == [0x1A, 0x03, 0x08, 0x96, 0x01])
        #expect(written { $0.message(3) { _ in } } == [0x1A, 0x00])
    }

    @Test func `the length of a message is as long as it must be`() {
        for (length, prefix): (Int, [UInt8]) in [
            (127, [0x7F]), (128, [0x80, 0x01]), (16_383, [0xFF, 0x7F]), (16_384, [0x80, 0x80, 0x01]),
            (2_097_152, [0x80, 0x80, 0x80, 0x01]),
        ] {
            let content = unsafe [UInt8](unsafeUninitializedCapacity: length) { bytes, count in
                for index in 0..<length { unsafe bytes[index] = UInt8(truncatingIfNeeded: index) }
                count = length
            }
            let bytes = written { writer in
                writer.message(1) { $0.buffer.append(content.span) }
                writer.int(2, 1)
            }
            let expected: [[UInt8]] = [[0x0A], prefix, content, [0x10, 0x01]]
            #expect(bytes == expected.flatMap { $0 }, "\(length)")
        }
    }

    @Test func `messages that are long within one that is longer`() {
        let text = String(repeating: "a", count: 200)
        let inner: [UInt8] = [0x0A, 0xC8, 0x01] + [UInt8](repeating: 0x61, count: 200)
        let bytes = written { $0.message(1) { $0.message(2) { $0.string(1, text) } } }
        let expected: [UInt8] = [0x0A, 0xCE, 0x01, 0x12, 0xCB, 0x01]
        #expect(bytes == expected + inner)
    }

    @Test func `repeated elements`() {
        let bytes = written { writer in
            writer.string(4, "hello")
            for element in 1...3 { writer.int(5, element) }
        }
        #expect(bytes == [0x22, 0x05, 0x68, 0x65, 0x6C, 0x6C, 0x6F, 0x28, 0x01, 0x28, 0x02, 0x28, 0x03])
    }

    @Test func `packed elements`() {
        #expect(
            written { $0.packed(6, varints: [3, 270, 86942]) }
                == [0x32, 0x06, 0x03, 0x8E, 0x02, 0x9E, 0xA7, 0x05])
        #expect(written { $0.packed(6, varints: []) } == [])
        #expect(written { $0.packed(1, doubles: [1]) } == [0x0A, 0x08, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F])
        #expect(written { $0.packed(1, fixed64: []) } == [])
    }

    @Test func `numbers of fixed length are little-endian`() {
        #expect(written { $0.fixed64(1, 0x0102_0304_0506_0708) } == [0x09, 8, 7, 6, 5, 4, 3, 2, 1])
        #expect(written { $0.fixed32(1, 0x0102_0304) } == [0x0D, 4, 3, 2, 1])
        #expect(written { $0.double(2, 25.4) } == [0x11, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x39, 0x40])
        #expect(written { $0.bool(3, true) } == [0x18, 0x01])
    }

    @Test func `a field's number may take more than a byte`() {
        #expect(written { $0.int(16, 1) } == [0x80, 0x01, 0x01])
        #expect(written { $0.int(536_870_911, 1) } == [0xF8, 0xFF, 0xFF, 0xFF, 0x0F, 0x01])
    }
}
