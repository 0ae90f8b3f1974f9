internal import SluiceCore

extension JSONScanner {
    /// A string (RFC 8259 §7), from its quotation mark.
    @inline(__always) mutating func readString() throws(JSONError) {
        let start = at
        var bits = JSONKind.string.bits
        at &+= 1
        while true {
            unsafe at = PlainText.end(base, from: at, end: end)
            let byte = peek
            if byte == UInt8(ascii: "\"") {
                at &+= 1
                return try push(bits, from: start)
            }
            if byte == UInt8(ascii: "\\") {
                bits |= JSONEntry.hasEscapes
                try skipEscape()
            } else {
                try skipNonASCII(byte)
            }
        }
    }

    @inline(__always) private mutating func skipEscape() throws(JSONError) {
        at &+= 1
        switch peek {
        case UInt8(ascii: "n"), UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "t"), UInt8(ascii: "/"),
            UInt8(ascii: "r"), UInt8(ascii: "b"), UInt8(ascii: "f"):
            at &+= 1
        case UInt8(ascii: "u"):
            at &+= 1
            for _ in 0..<4 {
                if peek.hexDigitValue == nil { throw failure(.invalidEscape) }
                at &+= 1
            }
        default: throw failure(.invalidEscape)
        }
    }

    @inline(__always) private mutating func skipNonASCII(_ byte: UInt8) throws(JSONError) {
        if byte < 0x20 { throw failure(.controlCharacter) }
        unsafe at = UTF8Sequence.endOfRun(base, from: at, end: end)
        if peek >= 0x80 { throw JSONError(.invalidUTF8, at: at) }
    }

    /// A number (RFC 8259 §6), from its sign or first digit.
    @inline(__always) mutating func readNumber() throws(JSONError) {
        let start = at
        if peek == UInt8(ascii: "-") { at &+= 1 }
        if peek == UInt8(ascii: "0") {
            at &+= 1
            if peek.isDecimalDigit { throw JSONError(.invalidNumber, at: at) }
        } else {
            try skipDigits()
        }
        if peek == UInt8(ascii: ".") {
            at &+= 1
            try skipDigits()
        }
        if peek | 0x20 == UInt8(ascii: "e") {
            at &+= 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { at &+= 1 }
            try skipDigits()
        }
        try push(JSONKind.number.bits, from: start)
    }

    /// One digit at least.
    @inline(__always) private mutating func skipDigits() throws(JSONError) {
        if !peek.isDecimalDigit { throw failure(.invalidNumber) }
        while end &- at >= 8 {
            let digits = unsafe Self.digitCount(UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self))
            at &+= digits
            if digits < 8 { return }
        }
        while peek.isDecimalDigit { at &+= 1 }
    }

    /// How many of the eight bytes in `word` are digits, up to the first that is not.
    @inline(__always) private static func digitCount(_ word: UInt64) -> Int {
        let values = UInt64(littleEndian: word) ^ 0x3030_3030_3030_3030
        // Adding 0x76 sets the highest bit of what is over 9; carries spoil only the bytes after such a one.
        let others = (values &+ 0x7676_7676_7676_7676 | values) & 0x8080_8080_8080_8080
        return others.trailingZeroBitCount &>> 3
    }
}
