internal import SluiceCore

extension JSONValue {
    /// The number if it is a whole number, however it is written (`7`, `7.0`, `70e-1`), and fits; `nil` otherwise.
    package var int: Int? {
        guard let decimal else { return nil }
        return decimal.int
    }

    /// The nearest double; `nil` if it is not a number, or if it is one beyond what a double can hold.
    package var double: Double? {
        guard let decimal else { return nil }
        if let exact = decimal.double { return exact }
        guard let nearest = Double(String(decoding: rawBytes)), nearest.isFinite else { return nil }
        return nearest
    }

    private var decimal: JSONDecimal? {
        let entry = entry
        return entry.isKind(.number) ? JSONDecimal(bytes.extracting(entry.range)) : nil
    }
}

/// A number as it is written: `significand` × 10 ^ `exponent`, with no zeros at the end of the significand.
struct JSONDecimal {
    private var isNegative = false
    private var significand: UInt = 0
    private var exponent = 0
    /// Whether the significand has more digits than fit.
    private var isTooLong = false

    /// No document has as many digits as this.
    private static let exponentMax = 1 << 40

    /// - Parameter text: a number that was scanned.
    init(_ text: Span<UInt8>) {
        var zeros = 0  // seen, and not part of the significand unless another digit follows
        var fraction = 0
        var isFraction = false
        for index in text.indices {
            let byte = text[index]
            if let digit = byte.decimalDigitValue {
                if isFraction { fraction += 1 }
                if digit == 0 {
                    zeros += 1
                } else {
                    append(UInt(digit), after: zeros)
                    zeros = 0
                }
            } else if byte == UInt8(ascii: ".") {
                isFraction = true
            } else if byte == UInt8(ascii: "-") {
                isNegative = true
            } else {
                exponent = Self.exponent(text.extracting(index + 1..<text.count))
                break
            }
        }
        exponent += zeros - fraction
    }

    private mutating func append(_ digit: UInt, after zeros: Int) {
        if significand == 0 && !isTooLong {
            significand = digit
            return
        }
        for _ in 0...zeros where !isTooLong {
            let (product, overflowed) = significand.multipliedReportingOverflow(by: 10)
            significand = product
            isTooLong = overflowed
        }
        let (sum, carried) = significand.addingReportingOverflow(digit)
        significand = sum
        isTooLong = isTooLong || carried
    }

    private static func exponent(_ text: Span<UInt8>) -> Int {
        var exponent = 0
        for index in text.indices {
            if let digit = text[index].decimalDigitValue { exponent = min(exponent * 10 + digit, exponentMax) }
        }
        return !text.isEmpty && text[0] == UInt8(ascii: "-") ? -exponent : exponent
    }

    /// `nil` if it is not whole or does not fit.
    var int: Int? {
        if isTooLong { return nil }  // either it has a fraction, its last digit not being a zero, or it is too large
        if significand == 0 { return 0 }
        if exponent < 0 || exponent > 19 { return nil }
        var magnitude = significand
        for _ in 0..<exponent {
            let (product, overflowed) = magnitude.multipliedReportingOverflow(by: 10)
            if overflowed { return nil }
            magnitude = product
        }
        if !isNegative { return Int(exactly: magnitude) }
        return magnitude == Int.min.magnitude ? .min : Int(exactly: magnitude).map { -$0 }
    }

    /// `nil` if one multiplication or division of exact doubles does not give the nearest double (Clinger, "How to
    /// read floating point numbers accurately").
    var double: Double? {
        if isTooLong || significand > 1 << 53 { return nil }
        let magnitude: Double
        if significand == 0 || exponent == 0 {
            magnitude = Double(significand)
        } else if exponent > 0 && exponent <= 22 {
            magnitude = Double(significand) * Self.power(exponent)
        } else if exponent < 0 && exponent >= -22 {
            magnitude = Double(significand) / Self.power(-exponent)
        } else {
            return nil
        }
        return isNegative ? -magnitude : magnitude
    }

    /// 10 ^ `exponent`, exact up to 22.
    private static func power(_ exponent: Int) -> Double {
        var power = 1.0
        for _ in 0..<exponent { power *= 10 }
        return power
    }
}
