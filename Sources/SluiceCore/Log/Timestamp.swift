/// The wall clock as logs spell it.
package enum Timestamp {
    /// RFC 3339 in UTC with milliseconds: `2026-11-21T10:15:30.123Z`.
    package static func append(unixNanoseconds: Int64, to buffer: ByteBuffer) {
        let milliseconds = Int(unixNanoseconds / 1_000_000)
        let date = civil(milliseconds / 1000)
        append(date.year, digits: 4, to: buffer)
        buffer.append("-")
        append(date.month, digits: 2, to: buffer)
        buffer.append("-")
        append(date.day, digits: 2, to: buffer)
        buffer.append("T")
        appendTime(date, to: buffer)
        buffer.append(".")
        append(milliseconds % 1000, digits: 3, to: buffer)
        buffer.append("Z")
    }

    /// The same through a cache: what is left to write in most calls are the milliseconds.
    package static func append(unixNanoseconds: Int64, through cache: inout Cache, to buffer: ByteBuffer) {
        let milliseconds = Int(unixNanoseconds / 1_000_000)
        if milliseconds / 1000 != cache.second {
            let text = ByteBuffer(capacity: 32)
            append(unixNanoseconds: unixNanoseconds, to: text)
            text.truncate(to: text.count - 4)
            cache.second = milliseconds / 1000
            cache.text = text
        }
        buffer.append(cache.text.span)
        append(milliseconds % 1000, digits: 3, to: buffer)
        buffer.append("Z")
    }

    /// A second that was written, up to and with the point after it.
    package struct Cache {
        fileprivate var second = -1
        fileprivate var text = ByteBuffer(capacity: 32)
        package init() {}
    }

    private struct Civil { var year, month, day, secondOfDay: Int }

    /// Days to year, month and day in the Gregorian calendar (Howard Hinnant: "chrono-compatible low-level date algorithms").
    private static func civil(_ unixSeconds: Int) -> Civil {
        let days = unixSeconds / 86_400
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return Civil(
            year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month: month,
            day: dayOfYear - (153 * shiftedMonth + 2) / 5 + 1,
            secondOfDay: unixSeconds % 86_400)
    }

    private static func appendTime(_ date: Civil, to buffer: ByteBuffer) {
        append(date.secondOfDay / 3600, digits: 2, to: buffer)
        buffer.append(":")
        append(date.secondOfDay / 60 % 60, digits: 2, to: buffer)
        buffer.append(":")
        append(date.secondOfDay % 60, digits: 2, to: buffer)
    }

    private static func append(_ number: Int, digits: Int, to buffer: ByteBuffer) {
        var scale = 1
        for _ in 1..<digits { scale *= 10 }
        while scale > 0 {
            buffer.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number / scale % 10))
            scale /= 10
        }
    }
}
