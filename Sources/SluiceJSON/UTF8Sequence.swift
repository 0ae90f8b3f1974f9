/// Well-formed sequences of UTF-8 (RFC 3629 §4): nothing overlong, no surrogate, nothing above U+10FFFF.
enum UTF8Sequence {
    /// The length of the sequence of two to four bytes that `word` starts with, first byte lowest; 0 if it is not well
    /// formed, or ASCII.
    @inline(__always) static func length(_ word: UInt32) -> Int {
        if word & 0x00C0_C0F0 == 0x0080_80E0 { return isAllowed(UInt64(word)) ? 3 : 0 }
        if word & 0xC0E0 == 0x80C0 { return word & 0x1E != 0 ? 2 : 0 }
        if word & 0xC0C0_C0F8 == 0x8080_80F0 {
            let plane = (word & 7) << 2 | (word >> 12) & 3
            return plane > 0 && plane <= 0x10 ? 4 : 0
        }
        return 0
    }

    /// Whether three bytes of the right form are neither overlong nor a surrogate: that shows in the first byte's low
    /// bits and the second's highest.
    @inline(__always) private static func isAllowed(_ word: UInt64) -> Bool {
        let significant = word & 0x200F
        return significant != 0 && significant != 0x200D
    }

    /// Up to four bytes at `at`, first byte lowest; zeros after the end.
    @inline(__always) static func word(_ base: UnsafePointer<UInt8>, _ at: Int, end: Int) -> UInt32 {
        if end &- at >= 4 {
            return unsafe UInt32(littleEndian: UnsafeRawPointer(base + at).loadUnaligned(as: UInt32.self))
        }
        var word: UInt32 = 0
        var shift: UInt32 = 0
        var index = at
        while index < end {
            unsafe word |= UInt32(base[index]) &<< shift
            shift &+= 8
            index &+= 1
        }
        return word
    }

    /// How far a run of well-formed sequences goes: the offset of the first byte that is ASCII or not well formed.
    ///
    /// Sequences of three bytes are taken in pairs: text in Chinese, Japanese or Korean is little else.
    @unsafe @inline(never) static func endOfRun(_ base: UnsafePointer<UInt8>, from start: Int, end: Int) -> Int {
        var at = start
        while end &- at >= 8 {
            let word = unsafe UInt64(littleEndian: UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self))
            if word & 0xC0C0_F0C0_C0F0 == 0x8080_E080_80E0, isAllowed(word), isAllowed(word &>> 24) {
                at &+= 6
                continue
            }
            let length = length(UInt32(truncatingIfNeeded: word))
            if length == 0 { return at }
            at &+= length
        }
        while at < end {
            let length = unsafe length(word(base, at, end: end))
            if length == 0 { break }
            at &+= length
        }
        return at
    }
}
