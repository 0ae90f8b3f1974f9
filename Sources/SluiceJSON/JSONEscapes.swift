internal import SluiceCore

/// Escape sequences in strings that were scanned (RFC 8259 §7).
enum JSONEscapes {
    static let backslash = UInt8(ascii: "\\")

    /// Appends what a string's contents say.
    static func decode(_ contents: Span<UInt8>, into buffer: ByteBuffer) {
        var at = 0
        while at < contents.count {
            let escape = firstBackslash(in: contents, from: at)
            buffer.append(contents.extracting(at..<escape))
            if escape == contents.count { return }
            at = escape
            let (word, length) = utf8(scalar(in: contents, &at))
            for index in 0..<length { buffer.append(UInt8(truncatingIfNeeded: word >> (8 * UInt32(index)))) }
        }
    }

    /// Whether a string's contents say `text`.
    static func equals(_ contents: Span<UInt8>, _ text: Span<UInt8>) -> Bool {
        var at = 0
        var other = 0
        while at < contents.count {
            if contents[at] != backslash {
                if other >= text.count || contents[at] != text[other] { return false }
                at += 1
                other += 1
                continue
            }
            let (word, length) = utf8(scalar(in: contents, &at))
            if text.count - other < length { return false }
            for index in 0..<length {
                if text[other + index] != UInt8(truncatingIfNeeded: word >> (8 * UInt32(index))) { return false }
            }
            other += length
        }
        return other == text.count
    }

    private static func firstBackslash(in contents: Span<UInt8>, from start: Int) -> Int {
        unsafe contents.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            var at = start
            while true {
                at = unsafe PlainText.end(base, from: at, end: buffer.count)
                if unsafe at == buffer.count || base[at] == backslash { return at }
                at = unsafe max(at + 1, UTF8Sequence.endOfRun(base, from: at, end: buffer.count))
            }
        }
    }

    /// Reads the sequence at `at`. A surrogate without its other half is U+FFFD.
    private static func scalar(in contents: Span<UInt8>, _ at: inout Int) -> UInt32 {
        let letter = at + 1 < contents.count ? contents[at + 1] : backslash
        at = min(at + 2, contents.count)
        switch letter {
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "u"): break
        default: return UInt32(letter)
        }
        let unit = codeUnit(in: contents, at)
        at = min(at + 4, contents.count)
        if unit & 0xF800 != 0xD800 { return unit }
        if unit < 0xDC00, at + 1 < contents.count, contents[at] == backslash, contents[at + 1] == UInt8(ascii: "u") {
            let low = codeUnit(in: contents, at + 2)
            if low & 0xFC00 == 0xDC00 {
                at = min(at + 6, contents.count)
                return 0x10000 + (unit & 0x3FF) << 10 + low & 0x3FF
            }
        }
        return 0xFFFD
    }

    /// Four hexadecimal digits.
    private static func codeUnit(in contents: Span<UInt8>, _ at: Int) -> UInt32 {
        var unit: UInt32 = 0
        for index in at..<at + 4 where index < contents.count {
            unit = unit << 4 | UInt32(truncatingIfNeeded: contents[index].hexDigitValue ?? 0)
        }
        return unit
    }

    /// A scalar's bytes in UTF-8, the first one lowest, and how many they are.
    private static func utf8(_ scalar: UInt32) -> (word: UInt32, length: Int) {
        let last = scalar & 0x3F | 0x80
        if scalar < 0x80 { return (scalar, 1) }
        if scalar < 0x800 { return (scalar >> 6 | 0xC0 | last << 8, 2) }
        let third = scalar >> 6 & 0x3F | 0x80
        if scalar < 0x10000 { return (scalar >> 12 | 0xE0 | third << 8 | last << 16, 3) }
        return (scalar >> 18 | 0xF0 | (scalar >> 12 & 0x3F | 0x80) << 8 | third << 16 | last << 24, 4)
    }
}
