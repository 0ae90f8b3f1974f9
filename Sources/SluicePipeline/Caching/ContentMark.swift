internal import SluiceCore
internal import SluicePolicy

/// Tells two bodies apart that an application sends under one name: fast, and not meant to stand up to somebody who looks for two
/// bodies that look the same. Nobody gains by that: it is the same caller's request either way.
///
/// Four sums of a multiplication and a rotation for each eight bytes, mixed at the end (after Collet's XXH64).
struct ContentMark {
    private var lanes: InlineArray<4, UInt64> = [
        0x60EA_27EE_ADC0_B5D6, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x61C8_8646_80B5_83EB,
    ]
    private static let first: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let second: UInt64 = 0xC2B2_AE3D_27D4_EB4F

    /// Adds a part; where parts end counts.
    mutating func add(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBytes { bytes in
            var at = 0
            while bytes.count &- at >= 32 {
                for lane in 0..<4 {
                    add(unsafe bytes.loadUnaligned(fromByteOffset: at &+ 8 &* lane, as: UInt64.self), lane)
                }
                at &+= 32
            }
            var rest: UInt64 = 0
            var lane = 0
            while at < bytes.count {
                rest = unsafe rest << 8 | UInt64(bytes[at])
                at &+= 1
                if at & 7 == 0 {
                    add(rest, lane)
                    rest = 0
                    lane = (lane &+ 1) & 3
                }
            }
            add(rest, lane)
            add(UInt64(bytes.count), 3 &- lane)
        }
    }

    @inline(__always) private mutating func add(_ word: UInt64, _ lane: Int) {
        let sum = lanes[lane] &+ word &* Self.second
        lanes[lane] = (sum << 31 | sum >> 33) &* Self.first
    }

    /// All that was added.
    func finish() -> CacheKey? {
        let buffer = ByteBuffer(capacity: CacheKey.byteCount)
        for lane in 0..<4 {
            // Each word depends on all lanes.
            var word = lanes[lane] &+ (lanes[(lane + 1) & 3] << 7 | lanes[(lane + 1) & 3] >> 57)
            word ^= lanes[(lane + 2) & 3] &* Self.first
            word = (word ^ word >> 33) &* Self.second &+ lanes[(lane + 3) & 3]
            word ^= word >> 29
            for shift in stride(from: 0, to: 64, by: 8) { buffer.append(UInt8(truncatingIfNeeded: word >> UInt64(shift))) }
        }
        return CacheKey(buffer.span)
    }
}
