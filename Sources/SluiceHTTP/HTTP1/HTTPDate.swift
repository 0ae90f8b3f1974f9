internal import SluiceCore

/// The date format of HTTP (RFC 9110 §5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`. Made once a second, and kept.
package enum HTTPDate {
    /// - Parameter seconds: since 1970-01-01 00:00 UTC; from there to the end of the year 9999, else the nearer end.
    package static func bytes(secondsSince1970 seconds: Int) -> [UInt8] {
        let clamped = min(max(seconds, 0), 253_402_300_799)
        let (days, second) = clamped.quotientAndRemainder(dividingBy: 86_400)
        let date = civil(days)
        var text: [UInt8] = []
        text.reserveCapacity(29)
        append(letters("ThuFriSatSunMonTueWed", days % 7), to: &text)
        text += [UInt8(ascii: ","), ASCII.space]
        append(date.day, digits: 2, to: &text)
        text.append(ASCII.space)
        append(letters("JanFebMarAprMayJunJulAugSepOctNovDec", date.month - 1), to: &text)
        text.append(ASCII.space)
        append(date.year, digits: 4, to: &text)
        text.append(ASCII.space)
        append(second / 3600, digits: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        append(second / 60 % 60, digits: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        append(second % 60, digits: 2, to: &text)
        append((ASCII.space, UInt8(ascii: "G"), UInt8(ascii: "M")), to: &text)
        text.append(UInt8(ascii: "T"))
        return text
    }

    /// The date of a day counted from 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").
    private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468  // from 0000-03-01: a year then ends with its leap day
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func letters(_ names: StaticString, _ index: Int) -> (UInt8, UInt8, UInt8) {
        precondition(index >= 0 && index * 3 + 3 <= names.utf8CodeUnitCount, "no name number \(index)")
        let start = unsafe names.utf8Start + index * 3
        return unsafe (start[0], start[1], start[2])
    }

    private static func append(_ letters: (UInt8, UInt8, UInt8), to text: inout [UInt8]) {
        text.append(letters.0)
        text.append(letters.1)
        text.append(letters.2)
    }

    private static func append(_ number: Int, digits: Int, to text: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }
}
