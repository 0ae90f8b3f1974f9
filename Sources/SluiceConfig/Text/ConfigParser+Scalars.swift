internal import SluiceCore

/// Strings and numbers (JSON5 §5 and §6).
extension ConfigParser {
    mutating func string() throws(ConfigSyntaxError) -> String {
        let start = here()
        let quote = bytes[offset]
        offset += 1
        var text: [UInt8] = []
        var run = offset
        while let byte = peek() {
            switch byte {
            case quote:
                text += bytes[run..<offset]
                offset += 1
                return String(decoding: text.span)
            case UInt8(ascii: "\\"):
                text += bytes[run..<offset]
                offset += 1
                try escape(into: &text)
                run = offset
            case ASCII.lineFeed, ASCII.carriageReturn:
                throw unexpected(
                    "the closing quote of the string that began at \(start) (a line break in a string is \\n;"
                        + " a \\ at the end of a line continues the string on the next)")
            default: offset += 1
            }
        }
        throw unexpected("the closing quote of the string that began at \(start)")
    }

    private mutating func escape(into text: inout [UInt8]) throws(ConfigSyntaxError) {
        guard let (scalar, length) = scalar() else { throw unexpected("a character after \\") }
        offset += length
        switch scalar {
        case "b": text.append(0x08)
        case "f": text.append(0x0C)
        case "n": text.append(0x0A)
        case "r": text.append(0x0D)
        case "t": text.append(0x09)
        case "v": text.append(0x0B)
        case "0":
            if peek()?.isDecimalDigit == true { throw unexpected("no digit after \\0") }
            text.append(0)
        case "1"..."9":
            offset -= length
            throw unexpected("an escape (\\xHH and \\uHHHH write a character by its number)")
        case "x": text += String(Unicode.Scalar(UInt8(truncatingIfNeeded: try hexDigits(2)))).utf8
        case "u": text += String(try escapedScalar()).utf8
        case "\r":
            if peek() == ASCII.lineFeed { offset += 1 }
            countLine()
        case "\n": countLine()
        case "\u{2028}", "\u{2029}": break
        default: text += String(scalar).utf8
        }
    }

    /// After `\u`: four digits, or a surrogate pair in two escapes.
    private mutating func escapedScalar() throws(ConfigSyntaxError) -> Unicode.Scalar {
        let unit = try hexDigits(4)
        if let scalar = Unicode.Scalar(unit) { return scalar }
        if unit < 0xDC00, peek() == UInt8(ascii: "\\"), peek(1) == UInt8(ascii: "u") {
            offset += 2
            let low = try hexDigits(4)
            if low & 0xFC00 == 0xDC00, let scalar = Unicode.Scalar(0x10000 + (unit & 0x3FF) << 10 + (low & 0x3FF)) {
                return scalar
            }
        }
        throw failure("half of a surrogate pair", "a character, or both halves of a pair")
    }

    mutating func number() throws(ConfigSyntaxError) -> ConfigValue.Kind {
        let start = here()
        let isNegative = peek() == UInt8(ascii: "-")
        if isNegative || peek() == UInt8(ascii: "+") { offset += 1 }
        if peek() == UInt8(ascii: "0"), let x = peek(1), x.asciiLowercased == UInt8(ascii: "x") {
            return try hexadecimal(isNegative: isNegative)
        }
        if let byte = peek(), !byte.isDecimalDigit, byte != UInt8(ascii: ".") {
            if let word = try identifier(), word == "Infinity" || word == "NaN" {
                throw ConfigSyntaxError(location: start, found: word, expected: "a finite number")
            }
            throw ConfigSyntaxError(location: start, found: "a sign without a number", expected: "a number")
        }
        if peek() == UInt8(ascii: "0"), peek(1)?.isDecimalDigit == true {
            throw failure("a leading zero", "a decimal number without one, or a hexadecimal number with 0x")
        }
        let whole = digits()
        var text = (isNegative ? "-" : "") + (whole.isEmpty ? "0" : whole)
        var isWhole = true
        if take(UInt8(ascii: ".")) {
            let fraction = digits()
            if whole.isEmpty && fraction.isEmpty { throw unexpected("a digit before or after the decimal point") }
            isWhole = false
            text += fraction.isEmpty ? "" : "." + fraction
        } else if whole.isEmpty {
            throw unexpected("a digit")
        }
        if let byte = peek(), byte.asciiLowercased == UInt8(ascii: "e") {
            isWhole = false
            text += try exponent()
        }
        return try finish(text, isWhole: isWhole, from: start)
    }

    private mutating func digits() -> String {
        let start = offset
        while peek()?.isDecimalDigit == true { offset += 1 }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    private mutating func exponent() throws(ConfigSyntaxError) -> String {
        offset += 1
        var text = "e"
        if peek() == UInt8(ascii: "-") { text += "-" }
        if peek() == UInt8(ascii: "-") || peek() == UInt8(ascii: "+") { offset += 1 }
        let digits = digits()
        if digits.isEmpty { throw unexpected("the digits of an exponent") }
        return text + digits
    }

    private mutating func hexadecimal(isNegative: Bool) throws(ConfigSyntaxError) -> ConfigValue.Kind {
        let start = here()
        offset += 2
        var magnitude: UInt = 0
        var count = 0
        while let digit = peek()?.hexDigitValue {
            if magnitude >> 59 != 0 {
                throw ConfigSyntaxError(
                    location: start, found: "a large number", expected: "a hexadecimal number below 0x8000000000000000")
            }
            magnitude = magnitude << 4 | UInt(digit)
            count += 1
            offset += 1
        }
        if count == 0 { throw unexpected("a hexadecimal digit") }
        try endNumber()
        return .integer(isNegative ? -Int(magnitude) : Int(magnitude))
    }

    private mutating func finish(
        _ text: String, isWhole: Bool, from start: ConfigLocation
    ) throws(ConfigSyntaxError) -> ConfigValue.Kind {
        try endNumber()
        if text.utf8.count > ConfigText.numberLengthMax {
            throw ConfigSyntaxError(
                location: start, found: "a number of \(text.utf8.count) characters",
                expected: "at most \(ConfigText.numberLengthMax)")
        }
        if isWhole, let integer = Int(text) { return .integer(integer) }
        guard let number = Double(text), number.isFinite else {
            throw ConfigSyntaxError(location: start, found: "a large number", expected: "a number below 1.8e308")
        }
        if let integer = Int(exactly: number), integer.magnitude < 1 << 53 { return .integer(integer) }
        return .number(number)
    }

    private mutating func endNumber() throws(ConfigSyntaxError) {
        guard let (scalar, _) = scalar() else { return }
        if scalar == "." || scalar == "_" || scalar == "\\" || scalar.properties.isAlphabetic
            || scalar.properties.numericType != nil
        {
            throw unexpected("the end of the number")
        }
    }
}
