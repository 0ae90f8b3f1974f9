internal import SluiceCore
internal import Synchronization

/// How long a target's recent answers took to begin: enough of it to say which time nine or nineteen of twenty stay below.
///
/// Counts by exponential steps, four to each doubling, so a quantile is right to a fifth. The last one to two hundred calls count.
package final class LatencyDigest: Sendable {
    private struct Counts {
        var now: [UInt16] = []
        var before: [UInt16] = []
        var total = 0
        /// What was last asked for, and for how many calls more it is good.
        var told: (share: Double, bound: Duration, rest: Int)?
    }

    /// Of so many new calls the answer to a question takes no notice.
    private static let toldAgain = 8

    private static let stepsPerDoubling = 4
    /// From 1 ms to 2^20 ms, 17 minutes.
    private static let stepCount = 20 * stepsPerDoubling
    private static let generationCount = 100
    /// Fewer calls say nothing.
    package static let countMin = 20

    private let counts = Mutex(Counts())

    package init() {}

    package func note(_ latency: Duration) {
        let step = Self.step(latency)
        counts.withLock { counts in
            if counts.now.isEmpty { counts.now = [UInt16](repeating: 0, count: Self.stepCount) }
            counts.now[step] += 1
            counts.total += 1
            if let told = counts.told {
                counts.told = told.rest > 0 ? (told.share, told.bound, told.rest - 1) : nil
            }
            if counts.total < Self.generationCount { return }
            counts.before = counts.now
            counts.now = []
            counts.total = 0
        }
    }

    /// - Parameter share: 0 to 1.
    /// - Returns: a time that so many of the calls stayed below; `nil` as long as there are too few.
    package func quantile(_ share: Double) -> Duration? {
        counts.withLock { counts in
            let total = counts.total + (counts.before.isEmpty ? 0 : Self.generationCount)
            if total < Self.countMin { return nil }
            if let told = counts.told, told.share == share { return told.bound }
            let bound = Self.bound(Self.step(below: Double(total) * share, counts))
            // What few calls say changes with every one.
            if total >= Self.generationCount { counts.told = (share, bound, Self.toldAgain) }
            return bound
        }
    }

    /// The first step up to which there are as many calls.
    private static func step(below wanted: Double, _ counts: Counts) -> Int {
        var seen = 0
        for step in 0..<stepCount {
            if step < counts.now.count { seen += Int(counts.now[step]) }
            if step < counts.before.count { seen += Int(counts.before[step]) }
            if Double(seen) >= wanted { return step }
        }
        return stepCount - 1
    }

    /// Four steps to a doubling: the doubling is the number's highest bit, the step in it the two bits below.
    private static func step(_ latency: Duration) -> Int {
        let quarters = max(latency.nanoseconds / 250_000, 4)  // quarters of a millisecond
        let highest = Int64.bitWidth - 1 - quarters.leadingZeroBitCount
        let step = (highest - 2) * stepsPerDoubling + Int(quarters >> Int64(highest - 2) & 3)
        return min(step, stepCount - 1)
    }

    /// The upper end of a step.
    private static func bound(_ step: Int) -> Duration {
        let quarters = Int64(4 + step % stepsPerDoubling + 1) << Int64(step / stepsPerDoubling)
        return .nanoseconds(quarters * 250_000)
    }
}
