/// A point in time for a message a person reads.
enum CalendarText {
    /// "2026-03-01 12:00 UTC", from seconds since 1970.
    static func minute(_ seconds: Int64) -> String {
        let days = seconds.floorDivided(by: 86_400)
        let minutes = (seconds - days * 86_400) / 60
        let (year, month, day) = civil(days)
        return "\(year)-\(twoDigits(month))-\(twoDigits(day)) \(twoDigits(minutes / 60)):\(twoDigits(minutes % 60)) UTC"
    }

    /// The date of a day counted from 1970-01-01 (Hinnant: "chrono-compatible low-level date algorithms").
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted.floorDivided(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func twoDigits(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

extension Int64 {
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
