extension CivilDate {
    /// Reads an RFC 3339 date-time, whatever its offset: `2026-11-20T12:40:59Z`, `2026-11-20T13:40:59.25+01:00`.
    ///
    /// - Returns: milliseconds since 1970; digits beyond the third of a fraction are dropped.
    package static func milliseconds(rfc3339 text: Span<UInt8>) -> Int? {
        guard text.count >= 20, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
            text[10].asciiLowercased == UInt8(ascii: "t") || text[10] == ASCII.space,
            text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"),
            let date = CivilDate(
                digits: text, year: 0..<4, month: number(text, 5..<7), day: 8..<10, time: 11..<19)
        else { return nil }
        var at = 19
        guard let fraction = fraction(text, at: &at), let offset = offset(text.extracting(at..<text.count)) else {
            return nil
        }
        return (date.secondsSince1970 - offset) * 1000 + fraction
    }

    /// Reads an HTTP date in any of its three forms (RFC 9110 §5.6.7). The day of the week is not looked at.
    ///
    /// - Returns: seconds since 1970. A year of two digits is in 1970 to 2069.
    package static func seconds(http text: Span<UInt8>) -> Int? {
        let date: CivilDate?
        if text.count == 29, text[3] == UInt8(ascii: ","), text.extracting(25..<29).equals(" GMT") {
            date = CivilDate(digits: text, year: 12..<16, month: month(text, 8), day: 5..<7, time: 17..<25)
        } else if text.count == 24, text[3] == ASCII.space {
            date = CivilDate(digits: text, year: 20..<24, month: month(text, 4), day: 8..<10, time: 11..<19)
        } else if let comma = text.firstIndex(of: UInt8(ascii: ",")), text.count - comma == 24,
            text.extracting(text.count - 4..<text.count).equals(" GMT")
        {
            date = CivilDate(
                digits: text, year: comma + 9..<comma + 11, month: month(text, comma + 5), day: comma + 2..<comma + 4,
                time: comma + 12..<comma + 20)
        } else {
            date = nil
        }
        return date?.secondsSince1970
    }

    /// - Parameter time: where `12:40:59` stands.
    private init?(
        digits text: Span<UInt8>, year: Range<Int>, month: Int?, day: Range<Int>, time: Range<Int>
    ) {
        let at = time.lowerBound
        guard let month, let written = Self.number(text, year), let day = Self.number(text, day),
            text[at + 2] == UInt8(ascii: ":"), text[at + 5] == UInt8(ascii: ":"),
            let hour = Self.number(text, at..<at + 2), let minute = Self.number(text, at + 3..<at + 5),
            let second = Self.number(text, at + 6..<at + 8)
        else { return nil }
        let year = year.count == 4 ? written : written < 70 ? 2000 + written : 1900 + written
        self.init(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
    }

    /// Digits, of which the first may be a space (asctime's day).
    private static func number(_ text: Span<UInt8>, _ range: Range<Int>) -> Int? {
        let start = text[range.lowerBound] == ASCII.space ? range.lowerBound + 1 : range.lowerBound
        return ASCII.decimal(text.extracting(start..<range.upperBound))
    }

    private static func month(_ text: Span<UInt8>, _ at: Int) -> Int? {
        let names = ("janfebmaraprmayjunjulaugsepoctnovdec" as StaticString)
        for month in 0..<12 {
            var isSame = true
            for letter in 0..<3 where isSame {
                isSame = unsafe text[at + letter].asciiLowercased == names.utf8Start[month * 3 + letter]
            }
            if isSame { return month + 1 }
        }
        return nil
    }

    /// The milliseconds after a point, if there is one.
    private static func fraction(_ text: Span<UInt8>, at: inout Int) -> Int? {
        if text[at] != UInt8(ascii: ".") { return 0 }
        at += 1
        var milliseconds = 0
        var weight = 100
        let start = at
        while at < text.count, let digit = text[at].decimalDigitValue {
            milliseconds += digit * weight
            weight /= 10
            at += 1
        }
        return at > start ? milliseconds : nil
    }

    /// `Z` or `+01:00`, in seconds.
    private static func offset(_ text: Span<UInt8>) -> Int? {
        if text.count == 1 { return text[0].asciiLowercased == UInt8(ascii: "z") ? 0 : nil }
        guard text.count == 6, text[3] == UInt8(ascii: ":"), let hours = ASCII.decimal(text.extracting(1..<3)),
            let minutes = ASCII.decimal(text.extracting(4..<6)), hours < 24, minutes < 60
        else { return nil }
        switch text[0] {
        case UInt8(ascii: "+"): return hours * 3600 + minutes * 60
        case UInt8(ascii: "-"): return -(hours * 3600 + minutes * 60)
        default: return nil
        }
    }
}
