internal import SluiceCore
internal import Synchronization

/// What a target has done in all: sums, so that those of one process can be added to those of the ones before it.
package struct TargetTotals: Sendable, Equatable {
    package var answers = 0
    package var failures = 0
    /// Of answers that were none of the failures, and whose time was taken.
    package var timed = 0
    package var timedMicros = 0

    package init() {}

    package static func + (first: Self, second: Self) -> Self {
        var sum = Self()
        sum.answers = first.answers &+ second.answers
        sum.failures = first.failures &+ second.failures
        sum.timed = first.timed &+ second.timed
        sum.timedMicros = first.timedMicros &+ second.timedMicros
        return sum
    }

    /// From sending a request to the head of its answer, in milliseconds; `nil` if no time was taken.
    package var averageLatencyMilliseconds: Double? { timed > 0 ? Double(timedMicros) / Double(timed) / 1000 : nil }

    /// 0 to 1; `nil` if nothing was asked.
    package var successRate: Double? { answers > 0 ? Double(max(0, answers - failures)) / Double(answers) : nil }
}

/// What targets had done before this process began, where that is kept. Shared by all workers.
package final class TargetPast: Sendable {
    private let totals = Mutex<[TargetID: TargetTotals]>([:])

    package init() {}

    package func remember(_ past: [TargetID: TargetTotals]) { totals.withLock { $0 = past } }

    package func of(_ id: TargetID) -> TargetTotals { totals.withLock { $0[id] } ?? TargetTotals() }
}
