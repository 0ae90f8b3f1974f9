package import SluiceCore

/// Exponential backoff with full jitter (Brooker: "Exponential Backoff And Jitter"): those who failed together do not come back
/// together.
package enum Backoff {
    /// Doublings beyond this make no difference.
    private static let doublingsMax = 20

    /// - Parameter repeats: how often it was waited before: 0 for the first wait.
    /// - Returns: anything from zero to the bound, which doubles each time and is at most `longest`.
    package static func wait(
        base: Duration, longest: Duration, repeats: Int, using random: inout SplitMix64
    ) -> Duration {
        let bound = bound(base: base, longest: longest, repeats: repeats).nanoseconds
        return bound <= 0 ? .zero : .nanoseconds(Int64.random(in: 0...bound, using: &random))
    }

    /// - Returns: `base` × 2^`repeats`, at most `longest`.
    package static func bound(base: Duration, longest: Duration, repeats: Int) -> Duration {
        let factor: Int64 = 1 << Int64(min(max(repeats, 0), doublingsMax))
        let (bound, overflowed) = max(base.nanoseconds, 0).multipliedReportingOverflow(by: factor)
        return overflowed ? longest : min(.nanoseconds(bound), longest)
    }
}
