internal import SluiceCore

extension Array where Element == UInt8 {
    init(copying bytes: Span<UInt8>) {
        self = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
    }

    mutating func append(copying bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}

extension MutableSpan where Element == UInt8 {
    /// Puts the ASCII letters of a part in lower case.
    @inline(__always) @_lifetime(self: copy self)
    mutating func lowercase(from start: Int, count: Int) {
        precondition(start >= 0 && count >= 0 && count <= self.count &- start, "no \(count) bytes at \(start)")
        var index = start
        let end = start &+ count
        while end &- index >= 8 {
            let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
            var raw = unsafe mutableBytes
            unsafe raw.storeBytes(of: word.lowercasedBytes, toUncheckedByteOffset: index, as: UInt64.self)
            index &+= 8
        }
        while index < end {
            self[index] = self[index].asciiLowercased
            index &+= 1
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
