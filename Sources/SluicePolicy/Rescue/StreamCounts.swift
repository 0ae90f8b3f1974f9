internal import Synchronization

/// How streams ended, and what became of those that were rescued, since the start of the process.
package final class StreamCounts: Sendable {
    package enum End: Sendable { case complete, truncated, clientAbort, idle, budget }
    package enum Rescue: String, Sendable { case rescued, different, failed }

    package struct Snapshot: Sendable, Equatable {
        package var complete = 0
        package var truncated = 0
        package var clientAbort = 0
        package var idle = 0
        package var budget = 0
        package var rescued = 0
        package var different = 0
        package var failed = 0

        package init() {}
    }

    private let complete = Atomic<Int>(0)
    private let truncated = Atomic<Int>(0)
    private let clientAbort = Atomic<Int>(0)
    private let idle = Atomic<Int>(0)
    private let budget = Atomic<Int>(0)
    private let rescued = Atomic<Int>(0)
    private let different = Atomic<Int>(0)
    private let failed = Atomic<Int>(0)

    package init() {}

    package func count(_ end: End) {
        switch end {
        case .complete: complete.add(1, ordering: .relaxed)
        case .truncated: truncated.add(1, ordering: .relaxed)
        case .clientAbort: clientAbort.add(1, ordering: .relaxed)
        case .idle: idle.add(1, ordering: .relaxed)
        case .budget: budget.add(1, ordering: .relaxed)
        }
    }

    package func count(_ rescue: Rescue) {
        switch rescue {
        case .rescued: rescued.add(1, ordering: .relaxed)
        case .different: different.add(1, ordering: .relaxed)
        case .failed: failed.add(1, ordering: .relaxed)
        }
    }

    package var snapshot: Snapshot {
        var snapshot = Snapshot()
        snapshot.complete = complete.load(ordering: .relaxed)
        snapshot.truncated = truncated.load(ordering: .relaxed)
        snapshot.clientAbort = clientAbort.load(ordering: .relaxed)
        snapshot.idle = idle.load(ordering: .relaxed)
        snapshot.budget = budget.load(ordering: .relaxed)
        snapshot.rescued = rescued.load(ordering: .relaxed)
        snapshot.different = different.load(ordering: .relaxed)
        snapshot.failed = failed.load(ordering: .relaxed)
        return snapshot
    }
}
