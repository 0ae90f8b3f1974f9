/// A point on the monotonic clock, in nanoseconds since an unspecified start. A clock jump does not move it.
package struct Instant: Comparable, Hashable, Sendable {
    package var nanoseconds: Int64
    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static let distantFuture = Instant(nanoseconds: .max)
    package static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
    package static func + (a: Instant, b: Duration) -> Instant {
        let (sum, overflowed) = a.nanoseconds.addingReportingOverflow(b.nanoseconds)
        return overflowed ? .distantFuture : Instant(nanoseconds: sum)
    }
    package static func - (a: Instant, b: Instant) -> Duration { .nanoseconds(a.nanoseconds - b.nanoseconds) }
}

extension Duration {
    /// The duration in whole nanoseconds; `Int64.max` if it is longer than 292 years.
    package var nanoseconds: Int64 {
        let parts = components
        let (whole, overflowed) = parts.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflowed ? .max : whole + parts.attoseconds / 1_000_000_000
    }

    package var milliseconds: Double { Double(nanoseconds) / 1_000_000 }
}
