internal import CSIMD
internal import SluiceCore

/// Looking for the byte that matters, eight bytes at a time.
///
/// A word's `hits` have the top bit of a byte set where it was found. Borrows may set bits above the lowest hit, never
/// below: only the lowest is used.
extension Span where Element == UInt8 {
    /// The offset of the first control character (below 0x20, or 0x7F) at or after `start`; `count` if there is none.
    @inline(__always) func firstControl(from start: Int) -> Int {
        precondition(start >= 0, "no offset \(start)")
        return unsafe withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return 0 }
            var index = start
            while bytes.count &- index >= 16 {
                let found = unsafe csimd_first_control(base + index)
                if found < 16 { return index &+ found }
                index &+= 16
            }
            while index < bytes.count {
                let byte = unsafe base[index]
                if byte < 0x20 || byte == 0x7F { return index }
                index &+= 1
            }
            return bytes.count
        }
    }

    /// Whether it may be a field's value: no control character but tabs.
    @inline(__always) var isFieldValue: Bool {
        var index = firstControl(from: 0)
        while index < count, self[index] == ASCII.tab { index = firstControl(from: index &+ 1) }
        return index == count
    }

    /// The offset of the first carriage return or line feed at or after `start`; `count` if there is none.
    @inline(__always) func firstLineEnd(from start: Int) -> Int {
        var index = start
        while true {
            index = firstBelowSpaceRange(from: index)
            if index == count || self[index] == ASCII.lineFeed || self[index] == ASCII.carriageReturn { return index }
            index &+= 1
        }
    }

    /// The offset of the first byte under 0x0E: the line ends, and little else that text has.
    @inline(__always) private func firstBelowSpaceRange(from start: Int) -> Int {
        var index = start
        while count &- index >= 32 {
            let a = unsafe Self.hits(word(at: index))
            let b = unsafe Self.hits(word(at: index &+ 8))
            let c = unsafe Self.hits(word(at: index &+ 16))
            let d = unsafe Self.hits(word(at: index &+ 24))
            if a | b | c | d != 0 {
                if a != 0 { return index &+ a.trailingZeroBitCount &>> 3 }
                if b != 0 { return index &+ 8 &+ b.trailingZeroBitCount &>> 3 }
                if c != 0 { return index &+ 16 &+ c.trailingZeroBitCount &>> 3 }
                return index &+ 24 &+ d.trailingZeroBitCount &>> 3
            }
            index &+= 32
        }
        while count &- index >= 8 {
            let hits = unsafe Self.hits(word(at: index))
            if hits != 0 { return index &+ hits.trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        while index < count, self[index] >= 0x0E { index &+= 1 }
        return index
    }

    @inline(__always) private static func hits(_ word: UInt64) -> UInt64 {
        (word &- UInt64.everyByte &* 0x0E) & ~word & UInt64.topBits
    }

    /// Up to eight bytes, the first one lowest, zeros after the last.
    @inline(__always) func word(at offset: Int, atMost byteCount: Int) -> UInt64 {
        precondition(offset >= 0 && byteCount > 0 && byteCount <= count &- offset, "no \(byteCount) bytes at \(offset)")
        if byteCount >= 8 { return unsafe word(at: offset) }
        if count &- offset >= 8 { return unsafe word(at: offset) & (1 &<< UInt64(byteCount &* 8) &- 1) }
        var word: UInt64 = 0
        for index in 0..<byteCount { word |= UInt64(self[offset &+ index]) &<< UInt64(index &* 8) }
        return word
    }

    /// The offset of the first byte at or after `start` that is no letter, digit or `-`, as far as whole words reach:
    /// the rest is for the caller to look at.
    @inline(__always) func firstNotPlain(from start: Int, to end: Int) -> Int {
        var index = start
        while end &- index >= 8 {
            let word = unsafe word(at: index)
            let folded = word | UInt64.everyByte &* 0x20
            let plain =
                folded.bytes(from: UInt8(ascii: "a"), through: UInt8(ascii: "z"))
                | word.bytes(from: UInt8(ascii: "0"), through: UInt8(ascii: "9"))
                | word.bytes(from: UInt8(ascii: "-"), through: UInt8(ascii: "-"))
            let others = ~plain & UInt64.topBits
            if others != 0 { return index &+ others.trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        return index
    }

    /// Eight bytes, the first one lowest.
    @inline(__always) @unsafe private func word(at offset: Int) -> UInt64 {
        unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self).littleEndian
    }
}
