/// A point on the monotonic clock, in nanoseconds since an unspecified start. A clock jump does not move it.
package struct Instant: Comparable, Hashable, Sendable {
    package var nanoseconds: Int64
    @inlinable package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    @inlinable package static var distantFuture: Instant { Instant(nanoseconds: .max) }
    @inlinable package static func == (a: Instant, b: Instant) -> Bool { a.nanoseconds == b.nanoseconds }
    @inlinable package static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
    @inlinable package static func <= (a: Instant, b: Instant) -> Bool { a.nanoseconds <= b.nanoseconds }
    @inlinable package static func > (a: Instant, b: Instant) -> Bool { a.nanoseconds > b.nanoseconds }
    @inlinable package static func >= (a: Instant, b: Instant) -> Bool { a.nanoseconds >= b.nanoseconds }
    @inlinable package static func + (a: Instant, b: Duration) -> Instant {
        let (sum, overflowed) = a.nanoseconds.addingReportingOverflow(b.nanoseconds)
        return overflowed ? .distantFuture : Instant(nanoseconds: sum)
    }
    @inlinable package static func - (a: Instant, b: Instant) -> Duration {
        Duration(wholeNanoseconds: a.nanoseconds - b.nanoseconds)
    }
}

extension Duration {
    /// The same as `.nanoseconds(count)`, which goes through a 128-bit multiplication in a library.
    @inlinable package init(wholeNanoseconds count: Int64) {
        let attoseconds = count.multipliedFullWidth(by: 1_000_000_000)
        self.init(_high: attoseconds.high, low: attoseconds.low)
    }

    /// The duration in whole nanoseconds; the furthest `Int64` if it is longer than 292 years.
    @inlinable package var nanoseconds: Int64 {
        // Attoseconds in 128 bits: of most durations the upper half is empty.
        if _high == 0 { return Int64(_low / 1_000_000_000) }
        // The quotient has 63 bits if the upper half is less than half the divisor.
        if _high >= 0, _high < 500_000_000 {
            let divisor: UInt64 = 1_000_000_000
            return Int64(divisor.dividingFullWidth((UInt64(_high), _low)).quotient)
        }
        return wholeNanosecondsOfAny
    }

    @usableFromInline var wholeNanosecondsOfAny: Int64 {
        let parts = components
        let (whole, overflowed) = parts.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carried) = whole.addingReportingOverflow(parts.attoseconds / 1_000_000_000)
        return overflowed || carried ? (parts.seconds < 0 ? .min : .max) : sum
    }

    package var milliseconds: Double { Double(nanoseconds) / 1_000_000 }
}
