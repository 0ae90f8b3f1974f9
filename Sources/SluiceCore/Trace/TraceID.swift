/// Names a trace (W3C Trace Context §3.2.2.3): 16 bytes, never all zero.
package struct TraceID: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    /// - Returns: `nil` for zero, which names nothing.
    package init?(high: UInt64, low: UInt64) {
        if high | low == 0 { return nil }
        self.high = high
        self.low = low
    }

    /// One that nobody has had before.
    package init(using random: inout SplitMix64) {
        high = random.next()
        low = random.next() | 1
    }

    /// As every format spells it: 32 hex digits.
    package var digits: InlineArray<32, UInt8> {
        InlineArray { HexDigit.ascii($0 < 16 ? high : low, at: $0 & 15) }
    }

    package var text: String {
        let digits = digits
        return String(decoding: digits.span)
    }
}

/// Names one step of a trace (§3.2.2.4): 8 bytes, never all zero.
package struct SpanID: Hashable, Sendable {
    package let value: UInt64

    /// - Returns: `nil` for zero, which names nothing.
    package init?(_ value: UInt64) {
        if value == 0 { return nil }
        self.value = value
    }

    package init(using random: inout SplitMix64) { value = random.next() | 1 }

    /// That of the step with this number within the step that has this one: the same whenever it is asked for.
    package func child(_ number: Int) -> SpanID {
        var random = SplitMix64(value &+ UInt64(truncatingIfNeeded: number))
        return SpanID(using: &random)
    }

    /// 16 hex digits.
    package var digits: InlineArray<16, UInt8> { InlineArray { HexDigit.ascii(value, at: $0) } }

    package var text: String {
        let digits = digits
        return String(decoding: digits.span)
    }
}

/// Lower-case hex digits, 16 to a word.
enum HexDigit {
    static func ascii(_ word: UInt64, at index: Int) -> UInt8 {
        let digit = UInt8(truncatingIfNeeded: word >> (60 - 4 * UInt64(index))) & 15
        return digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + (digit - 10)
    }

    /// - Returns: `nil` unless all of them are digits, none in upper case; there are at most 16.
    static func word(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        var word: UInt64 = 0
        for index in range {
            let byte = bytes[index]
            guard let digit = byte.hexDigitValue, byte.asciiLowercased == byte else { return nil }
            word = word << 4 | UInt64(digit)
        }
        return word
    }
}

extension TraceID {
    /// Reads 32 digits in lower case.
    package init?(_ digits: Span<UInt8>) {
        guard digits.count == 32, let high = HexDigit.word(digits, 0..<16), let low = HexDigit.word(digits, 16..<32) else {
            return nil
        }
        self.init(high: high, low: low)
    }
}

extension SpanID {
    /// Reads 16 digits in lower case.
    package init?(_ digits: Span<UInt8>) {
        guard digits.count == 16, let value = HexDigit.word(digits, 0..<16) else { return nil }
        self.init(value)
    }
}
