/// Bytes as ASCII, without going through `String` or `Character`.
@usableFromInline package enum ASCII {
    @inlinable package static var tab: UInt8 { UInt8(ascii: "\t") }
    @inlinable package static var lineFeed: UInt8 { UInt8(ascii: "\n") }
    @inlinable package static var carriageReturn: UInt8 { UInt8(ascii: "\r") }
    @inlinable package static var space: UInt8 { UInt8(ascii: " ") }

    package static func decimalDigitCount(_ number: UInt) -> Int {
        var digits = 1
        var rest = number
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        return digits
    }

    /// Eight hexadecimal digits in lower case, the first one lowest: a nibble to a byte, then all of them to letters at once.
    @inlinable package static func hexDigits(of number: UInt32) -> UInt64 {
        var spread = UInt64(number.byteSwapped)
        spread = (spread | spread << 16) & 0x0000_FFFF_0000_FFFF
        spread = (spread | spread << 8) & 0x00FF_00FF_00FF_00FF
        spread = (spread >> 4 & 0x000F_000F_000F_000F) | (spread & 0x000F_000F_000F_000F) << 8
        let letters = (spread &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return spread &+ 0x3030_3030_3030_3030 &+ letters &* (0x61 - 0x3A)
    }

    /// Reads digits and nothing else; `nil` for an empty span, another character or a number over `Int.max`.
    package static func decimal(_ bytes: Span<UInt8>) -> Int? {
        if bytes.isEmpty || bytes.count > 19 { return nil }
        var value = 0
        for index in bytes.indices {
            guard let digit = bytes[index].decimalDigitValue else { return nil }
            let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(digit)
            if overflowed || carried { return nil }
            value = sum
        }
        return value
    }

    /// Compares without regard to case; `lowercase` must be in lower case already.
    @inlinable package static func equalsIgnoringCase(_ bytes: Span<UInt8>, _ lowercase: StaticString) -> Bool {
        if bytes.count != lowercase.utf8CodeUnitCount { return false }
        let other = unsafe lowercase.utf8Start
        for index in bytes.indices where unsafe bytes[index].asciiLowercased != other[index] { return false }
        return true
    }
}

extension UInt8 {
    @inlinable package var asciiLowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }
    @inlinable package var isASCIILetter: Bool { (self | 0x20) &- 0x61 < 26 }
    @inlinable package var isDecimalDigit: Bool { self &- 0x30 < 10 }

    @inlinable package var decimalDigitValue: Int? {
        let value = self &- 0x30
        return value < 10 ? Int(value) : nil
    }

    @inlinable package var hexDigitValue: Int? {
        if let digit = decimalDigitValue { return digit }
        let letter = (self | 0x20) &- 0x61
        return letter < 6 ? Int(letter) + 10 : nil
    }
}

extension Span where Element == UInt8 {
    /// Whether these bytes are exactly those of `text`.
    @inlinable package func equals(_ text: StaticString) -> Bool {
        if count != text.utf8CodeUnitCount { return false }
        let other = unsafe text.utf8Start
        for index in indices where unsafe self[index] != other[index] { return false }
        return true
    }

    @inlinable package func hasPrefix(_ text: StaticString) -> Bool {
        count >= text.utf8CodeUnitCount && extracting(0..<text.utf8CodeUnitCount).equals(text)
    }

    /// The offset of the first `byte` at or after `start`, looked for eight bytes at a time.
    @inlinable package func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
        precondition(start >= 0, "no offset \(start)")
        let everyByte: UInt64 = 0x0101_0101_0101_0101
        var index = start
        while count &- index >= 8 {
            let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self).littleEndian
            let difference = word ^ (everyByte &* UInt64(byte))
            // The lowest of these bits is right; a borrow may set others above it.
            let zeros = (difference &- everyByte) & ~difference & (everyByte &<< 7)
            if zeros != 0 { return index &+ zeros.trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        while index < count {
            if self[index] == byte { return index }
            index &+= 1
        }
        return nil
    }

    /// `lowercase` must be in lower case already.
    package func hasPrefixIgnoringCase(_ lowercase: StaticString) -> Bool {
        count >= lowercase.utf8CodeUnitCount
            && ASCII.equalsIgnoringCase(extracting(0..<lowercase.utf8CodeUnitCount), lowercase)
    }

    /// Without the spaces and tabs at both ends (RFC 9110 §5.6.3, OWS).
    @inlinable package func trimmingOptionalWhitespace() -> Range<Int> {
        var low = 0
        var high = count
        while low < high, self[low] == ASCII.space || self[low] == ASCII.tab { low += 1 }
        while high > low, self[high - 1] == ASCII.space || self[high - 1] == ASCII.tab { high -= 1 }
        return low..<high
    }
}
