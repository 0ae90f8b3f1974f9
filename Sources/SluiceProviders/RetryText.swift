internal import SluiceCore

/// Durations as providers write them, in milliseconds. Nothing is longer than `longest`; what is negative is not read.
enum RetryText {
    enum Unit { case milliseconds, seconds }

    /// A month: enough to be bounded later, and far from overflowing.
    private static let longest = 2_678_400_000

    /// Reads `7`, `1.5`, `20ms`, `6m0s`, `1h2m3s`, `2m59.56s`, `17s`.
    ///
    /// - Parameter unit: of a number without one; `nil` if it must have one.
    static func milliseconds(_ text: Span<UInt8>, _ unit: Unit?) -> Int? {
        let range = text.trimmingOptionalWhitespace()
        var at = range.lowerBound
        guard let wait = duration(text.extracting(0..<range.upperBound), at: &at, unit), at == range.upperBound else {
            return nil
        }
        return wait
    }

    /// Reads what a `reset` field says: a duration, seconds, a point in time in seconds or milliseconds since 1970, or
    /// a date of RFC 3339.
    static func reset(_ text: Span<UInt8>, _ now: Int) -> Int? {
        if let number = ASCII.decimal(text) {
            if number > 100_000_000_000 { return number - now }
            if number > 1_000_000_000 { return number * 1000 - now }
        }
        return milliseconds(text, .seconds) ?? CivilDate.milliseconds(rfc3339: text).map { $0 - now }
    }

    /// Finds a wait in words: "try again in 20s", "try again after 1 seconds", "retry after 7 seconds".
    static func wait(inSentence text: Span<UInt8>) -> Int? {
        for start in text.indices where text[start] == ASCII.space {
            let rest = text.extracting(start + 1..<text.count)
            var at = rest.hasPrefixIgnoringCase("in ") ? 3 : rest.hasPrefixIgnoringCase("after ") ? 6 : 0
            if at == 0 || !isAfterRetry(text.extracting(0..<start)) { continue }
            if let wait = duration(rest, at: &at, nil) { return wait }
        }
        return nil
    }

    private static func isAfterRetry(_ text: Span<UInt8>) -> Bool {
        ends(text, in: "again") || ends(text, in: "retry") || ends(text, in: "retrying")
    }

    private static func ends(_ text: Span<UInt8>, in word: StaticString) -> Bool {
        let byteCount = word.utf8CodeUnitCount
        return text.count >= byteCount
            && ASCII.equalsIgnoringCase(text.extracting(text.count - byteCount..<text.count), word)
    }

    // MARK: Numbers and units

    /// Numbers with their units, added up; at least one.
    private static func duration(_ text: Span<UInt8>, at: inout Int, _ unit: Unit?) -> Int? {
        var total = 0.0
        var count = 0
        while isDigit(text, at) || isDigit(text, at + 1) && text[at] == UInt8(ascii: ".") {
            guard let number = number(text, at: &at) else { return nil }
            if let scale = scale(text, at: &at) {
                total += number * scale
            } else if let unit, count == 0 {
                total = unit == .seconds ? number * 1000 : number
                return Int(min(total.rounded(.up), Double(longest)))
            } else {
                return nil
            }
            count += 1
        }
        return count == 0 ? nil : Int(min(total.rounded(.up), Double(longest)))
    }

    /// Digits with at most one point among them.
    private static func number(_ text: Span<UInt8>, at: inout Int) -> Double? {
        var value = 0.0
        var weight = 1.0
        var digitCount = 0
        var isFraction = false
        while at < text.count {
            if let digit = text[at].decimalDigitValue {
                digitCount += 1
                if isFraction { weight /= 10 }
                value = isFraction ? value + Double(digit) * weight : min(value * 10 + Double(digit), 1e15)
            } else if text[at] == UInt8(ascii: "."), !isFraction, isDigit(text, at + 1) {
                isFraction = true
            } else {
                break
            }
            at += 1
        }
        return digitCount == 0 ? nil : value
    }

    /// A point that no digit follows ends a sentence.
    private static func isDigit(_ text: Span<UInt8>, _ at: Int) -> Bool { at < text.count && text[at].isDecimalDigit }

    /// Reads a unit, which a space may stand before if it is a word, and gives its milliseconds.
    private static func scale(_ text: Span<UInt8>, at: inout Int) -> Double? {
        var start = at
        if start < text.count, text[start] == ASCII.space { start += 1 }
        var end = start
        while end < text.count, text[end].isASCIILetter || text[end] >= 0x80 { end += 1 }
        guard let scale = scale(text.extracting(start..<end)) else { return nil }
        at = end
        return scale
    }

    private static func scale(_ unit: Span<UInt8>) -> Double? {
        switch unit.count {
        case 0: nil
        case 1:
            switch unit[0].asciiLowercased {
            case UInt8(ascii: "s"): 1000
            case UInt8(ascii: "m"): 60_000
            case UInt8(ascii: "h"): 3_600_000
            case UInt8(ascii: "d"): 86_400_000
            default: nil
            }
        case 2: unit.equals("ms") ? 1 : unit.equals("us") ? 0.001 : unit.equals("ns") ? 0.000_001 : nil
        default: wordScale(unit)
        }
    }

    private static func wordScale(_ unit: Span<UInt8>) -> Double? {
        if unit.equals("µs") { return 0.001 }
        let singular = unit[unit.count - 1] == UInt8(ascii: "s") ? unit.extracting(0..<unit.count - 1) : unit
        if ASCII.equalsIgnoringCase(singular, "second") || ASCII.equalsIgnoringCase(singular, "sec") { return 1000 }
        if ASCII.equalsIgnoringCase(singular, "minute") || ASCII.equalsIgnoringCase(singular, "min") { return 60_000 }
        if ASCII.equalsIgnoringCase(singular, "hour") { return 3_600_000 }
        if ASCII.equalsIgnoringCase(singular, "day") { return 86_400_000 }
        return ASCII.equalsIgnoringCase(singular, "millisecond") ? 1 : nil
    }
}
