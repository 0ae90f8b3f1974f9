import SluiceCore
import TestSupport
import Testing

@Suite struct `Bytes as ASCII` {
    @Test func `are found where they first stand`() {
        for seed in SplitMix64.seeds(2000) {
            var random = SplitMix64(seed)
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                UInt8([0, 1, 127, 128, 255].randomElement(using: &random)!)
            }
            let start = Int.random(in: 0...bytes.count + 1, using: &random)
            for byte: UInt8 in [0, 1, 127, 128, 255] {
                #expect(
                    bytes.span.firstIndex(of: byte, from: start)
                        == bytes.indices.first { $0 >= start && bytes[$0] == byte }, "seed \(seed)")
            }
        }
    }
}
