package import SluiceCore
internal import Synchronization

/// How many repeats a target can be asked to bear: a share of the requests that it gets anyway, and a few more so that rare requests
/// may be repeated at all (the retry budget of Finagle and linkerd).
///
/// Shared by all workers. A repeat is only counted under the lock, so that workers together never exceed the budget.
package final class RetryBudget: Sendable {
    package static let window = Duration.seconds(10)

    private let requests = SlidingCount()
    private let repeats = SlidingCount()
    private let lock = Mutex(())

    package init() {}

    /// A request's first attempt: what the share is of.
    package func deposit(at now: Instant) {
        requests.count(failed: false, slow: false, window: Self.window, at: now)
    }

    /// - Parameters:
    ///   - ratio: repeats for each request.
    ///   - perSecond: repeats that are allowed whatever the traffic.
    /// - Returns: whether there is room for one more, which is then taken.
    package func withdraw(ratio: Double, perSecond: Double, at now: Instant) -> Bool {
        lock.withLock { _ in
            if left(ratio: ratio, perSecond: perSecond, at: now) < 1 { return false }
            repeats.count(failed: false, slow: false, window: Self.window, at: now)
            return true
        }
    }

    /// How many more repeats there is room for.
    package func left(ratio: Double, perSecond: Double, at now: Instant) -> Double {
        let allowed =
            Double(requests.sum(window: Self.window, at: now).total) * ratio
            + perSecond * Double(Self.window.components.seconds)
        return allowed - Double(repeats.sum(window: Self.window, at: now).total)
    }
}
