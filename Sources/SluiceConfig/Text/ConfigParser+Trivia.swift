internal import SluiceCore

/// White space, comments and identifiers (JSON5 §8 and §7, ECMAScript 5.1 §7.6).
extension ConfigParser {
    mutating func skipTrivia() throws(ConfigSyntaxError) {
        while let byte = peek() {
            switch byte {
            case ASCII.space, ASCII.tab, 0x0B, 0x0C: offset += 1
            case ASCII.lineFeed, ASCII.carriageReturn: skipLineEnd()
            case UInt8(ascii: "/"): try skipComment()
            case 0x80...:
                guard let (scalar, length) = scalar(), Self.isSpace(scalar) else { return }
                offset += length
            default: return
            }
        }
    }

    /// Space separators, NO-BREAK SPACE, the byte order mark and the two separators of lines and paragraphs.
    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\u{FEFF}" || scalar == "\u{2028}" || scalar == "\u{2029}"
            || scalar.properties.generalCategory == .spaceSeparator
    }

    mutating func skipLineEnd() {
        let isEnd = atLineEnd
        offset += 1
        if isEnd { countLine() }
    }

    private mutating func skipComment() throws(ConfigSyntaxError) {
        switch peek(1) {
        case UInt8(ascii: "/"):
            while let byte = peek(), byte != ASCII.lineFeed, byte != ASCII.carriageReturn { offset += 1 }
        case UInt8(ascii: "*"):
            let start = here()
            offset += 2
            while let byte = peek() {
                if byte == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
                    offset += 2
                    return
                }
                if byte == ASCII.lineFeed || byte == ASCII.carriageReturn { skipLineEnd() } else { offset += 1 }
            }
            throw unexpected("\"*/\" for the comment that began at \(start)")
        default:
            offset += 1
            throw unexpected("\"/\" or \"*\" to begin a comment")
        }
    }

    /// Reads an identifier; `nil`, and nothing read, if there is none.
    mutating func identifier() throws(ConfigSyntaxError) -> String? {
        var text = String.UnicodeScalarView()
        while let (scalar, length) = scalar() {
            if scalar == "\\" {
                offset += 1
                if !take(UInt8(ascii: "u")) { throw unexpected("\"u\" and four hexadecimal digits") }
                let escaped = try hexDigits(4)
                guard let scalar = Unicode.Scalar(escaped), Self.isIdentifier(scalar, first: text.isEmpty) else {
                    throw failure("an escape that is not a letter", "a letter, a digit, _ or $ in a key without quotes")
                }
                text.append(scalar)
            } else if Self.isIdentifier(scalar, first: text.isEmpty) {
                text.append(scalar)
                offset += length
            } else {
                break
            }
        }
        return text.isEmpty ? nil : String(text)
    }

    private static func isIdentifier(_ scalar: Unicode.Scalar, first: Bool) -> Bool {
        if let byte = UInt8(exactly: scalar.value), byte < 0x80 {
            return byte.isASCIILetter || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$")
                || (!first && byte.isDecimalDigit)
        }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .letterNumber:
            return true
        case .nonspacingMark, .spacingMark, .decimalNumber, .connectorPunctuation: return !first
        default: return !first && (scalar == "\u{200C}" || scalar == "\u{200D}")
        }
    }

    mutating func hexDigits(_ count: Int) throws(ConfigSyntaxError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let digit = peek()?.hexDigitValue else { throw unexpected("\(count) hexadecimal digits") }
            value = value << 4 | UInt32(digit)
            offset += 1
        }
        return value
    }
}
