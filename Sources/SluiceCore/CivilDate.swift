/// A second of the calendar in UTC, and how protocols spell it: read and written without Foundation.
///
/// From 0000-03-01 to the end of the year 9999.
package struct CivilDate: Equatable, Sendable {
    package let year: Int
    /// 1 to 12.
    package let month: Int
    package let day: Int
    /// 0 to 86 399.
    package let secondOfDay: Int

    /// Where years of four digits end.
    package static let secondsMax = 253_402_300_799

    /// - Parameter seconds: since 1970-01-01 00:00 UTC; outside 1970 to 9999 the nearer end is taken.
    package init(secondsSince1970 seconds: Int) {
        let (days, second) = min(max(seconds, 0), Self.secondsMax).quotientAndRemainder(dividingBy: 86_400)
        // Howard Hinnant, "chrono-compatible low-level date algorithms": a year begins in March and ends with its leap
        // day.
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        secondOfDay = second
    }

    /// `nil` for what is no date: month 13, 30 February, hour 24. A leap second counts as the second before it.
    package init?(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1, day <= Self.days(in: month, of: year),
            (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
        secondOfDay = hour * 3600 + minute * 60 + min(second, 59)
    }

    package var secondsSince1970: Int {
        let year = month <= 2 ? year - 1 : year
        let era = year / 400
        let yearOfEra = year % 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return (era * 146_097 + dayOfEra - 719_468) * 86_400 + secondOfDay
    }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    // MARK: Writing

    /// ISO 8601, basic: `20260101`.
    package func appendBasicDay(to buffer: ByteBuffer) {
        Self.append(year, digits: 4, to: buffer)
        Self.append(month, digits: 2, to: buffer)
        Self.append(day, digits: 2, to: buffer)
    }

    /// ISO 8601, basic: `20260101T000000Z`.
    package func appendBasic(to buffer: ByteBuffer) {
        appendBasicDay(to: buffer)
        buffer.append(UInt8(ascii: "T"))
        appendTime(separator: nil, to: buffer)
        buffer.append(UInt8(ascii: "Z"))
    }

    /// `2026-01-01`.
    package func appendDay(to buffer: ByteBuffer) {
        Self.append(year, digits: 4, to: buffer)
        buffer.append(UInt8(ascii: "-"))
        Self.append(month, digits: 2, to: buffer)
        buffer.append(UInt8(ascii: "-"))
        Self.append(day, digits: 2, to: buffer)
    }

    /// RFC 3339: `2026-01-01T00:00:00Z`.
    package func append(to buffer: ByteBuffer) {
        appendDay(to: buffer)
        buffer.append(UInt8(ascii: "T"))
        appendTime(separator: UInt8(ascii: ":"), to: buffer)
        buffer.append(UInt8(ascii: "Z"))
    }

    private func appendTime(separator: UInt8?, to buffer: ByteBuffer) {
        Self.append(secondOfDay / 3600, digits: 2, to: buffer)
        if let separator { buffer.append(separator) }
        Self.append(secondOfDay / 60 % 60, digits: 2, to: buffer)
        if let separator { buffer.append(separator) }
        Self.append(secondOfDay % 60, digits: 2, to: buffer)
    }

    private static func append(_ number: Int, digits: Int, to buffer: ByteBuffer) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            buffer.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }
}
