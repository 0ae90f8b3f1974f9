import SluiceCore
import TestSupport
import Testing

@Suite struct `Blocks of Snappy` {
    private func compressed(_ bytes: [UInt8]) -> [UInt8] {
        let buffer = ByteBuffer()
        Snappy.compress(bytes.span, into: buffer)
        return (0..<buffer.count).map { buffer[$0] }
    }

    private func comesBack(_ bytes: [UInt8], _ comment: String) throws {
        #expect(try SnappyReader.decompress(compressed(bytes)) == bytes, "\(comment)")
    }

    @Test func `what is short is literal`() {
        #expect(compressed([]) == [0])
        #expect(compressed([0x61]) == [1, 0, 0x61])
        #expect(compressed(Array("abc".utf8)) == [3, 2 << 2, 0x61, 0x62, 0x63])
    }

    @Test func `a run is one literal byte and copies of it`() {
        // 100 = 1 + 64 + 35: a copy of 64 bytes and one of 35, each from one byte before.
        let bytes = [UInt8](repeating: 0x61, count: 100)
        let expected: [UInt8] = [100, 0, 0x61, 63 << 2 | 2, 1, 0, 34 << 2 | 2, 1, 0]
        #expect(compressed(bytes) == expected)
    }

    @Test func `a short copy near by takes two bytes`() {
        // "0123456789abcdef" twice and a tail: eight bytes that were there sixteen before.
        let text = "0123456789abcdef01234567zyxwvutsrqponmlkj"
        let bytes = Array(text.utf8)
        var expected: [UInt8] = [41, 15 << 2]
        expected += bytes[..<16]
        expected += [4 << 2 | 1, 16, 16 << 2] as [UInt8]
        expected += Array("zyxwvutsrqponmlkj".utf8)
        #expect(compressed(bytes) == expected)
    }

    @Test func `literals of every length have the length that they need`() throws {
        for length in [59, 60, 61, 255, 256, 257, 65_535, 65_536, 65_537, 200_000] {
            var random = SplitMix64(UInt64(length))
            try comesBack((0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }, "\(length) random bytes")
        }
    }

    @Test func `copies reach back to the beginning of their block, not further`() throws {
        var bytes = [UInt8](repeating: 0, count: 140_000)
        for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: index &* index >> 7) }
        let word = Array("needle in a haystack".utf8)
        for place in [0, 2040, 2060, 65_500, 65_530, 131_000] {
            bytes.replaceSubrange(place..<place + word.count, with: word)
        }
        try comesBack(bytes, "words far apart")
    }

    @Test func `whatever is written comes back`() throws {
        for seed in SplitMix64.seeds(40) {
            var random = SplitMix64(seed)
            let alphabet = Int.random(in: 1...40, using: &random)
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...60, using: &random) {
                if Bool.random(using: &random), !bytes.isEmpty {
                    let start = Int.random(in: 0..<bytes.count, using: &random)
                    bytes += bytes[start..<min(bytes.count, start + Int.random(in: 1...200, using: &random))]
                } else {
                    for _ in 0..<Int.random(in: 1...80, using: &random) {
                        bytes.append(UInt8.random(in: 0..<UInt8(alphabet), using: &random))
                    }
                }
            }
            try comesBack(bytes, "seed \(seed)")
        }
    }

    @Test func `metrics shrink to a fifth and less`() {
        var text = ""
        for index in 0..<2000 {
            text += "gen_ai_client_operation_duration_seconds_bucket{instance=\"a:1\",job=\"sluice\",le=\"\(index)\"} \(index * 7)\n"
        }
        #expect(compressed(Array(text.utf8)).count < text.utf8.count / 5)
    }
}
