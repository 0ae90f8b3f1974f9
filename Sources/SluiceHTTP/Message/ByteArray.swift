internal import SluiceCore

extension Array where Element == UInt8 {
    package init(copying bytes: Span<UInt8>) {
        self = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
    }

    mutating func append(copying bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}

extension MutableSpan where Element == UInt8 {
    /// Writes a part of `original` over the same part of itself, in lower case. What was just copied here is not read:
    /// the processor would have to wait for it.
    @inline(__always) @_lifetime(self: copy self)
    mutating func lowercase(_ part: Range<Int>, of original: Span<UInt8>) {
        precondition(part.lowerBound >= 0 && part.upperBound <= min(count, original.count), "no bytes \(part)")
        var index = part.lowerBound
        if part.count < 8 {
            while index < part.upperBound {
                self[index] = original[index].asciiLowercased
                index &+= 1
            }
            return
        }
        while index < part.upperBound {
            index = min(index, part.upperBound &- 8)  // the last word may cover some bytes a second time
            let word = original.word(at: index, atMost: 8)
            var raw = unsafe mutableBytes
            unsafe raw.storeBytes(of: word.lowercasedBytes.littleEndian, toUncheckedByteOffset: index, as: UInt64.self)
            index &+= 8
        }
    }
}

extension UInt64 {
    static var everyByte: UInt64 { 0x0101_0101_0101_0101 }
    static var topBits: UInt64 { 0x8080_8080_8080_8080 }

    /// The top bits of those of the eight bytes that are from `low` to `high`, which are under 0x80.
    @inline(__always) func bytes(from low: UInt8, through high: UInt8) -> UInt64 {
        let sevenBits = self & ~Self.topBits
        let atLeastLow = sevenBits &+ Self.everyByte &* UInt64(0x80 &- low)
        let overHigh = sevenBits &+ Self.everyByte &* UInt64(0x7F &- high)
        return atLeastLow & ~overHigh & ~self & Self.topBits
    }

    /// Eight bytes with their ASCII letters in lower case.
    @inline(__always) var lowercasedBytes: UInt64 {
        self | bytes(from: UInt8(ascii: "A"), through: UInt8(ascii: "Z")) &>> 2
    }
}
