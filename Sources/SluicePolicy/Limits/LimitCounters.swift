internal import Synchronization

/// What became of requests at one limit, since the process began.
package final class LimitCounters: Sendable {
    private let passed = Atomic<Int>(0)
    private let refused = Atomic<Int>(0)
    private let alone = Atomic<Int>(0)
    private let settled = Atomic<Int>(0)
    private let reserved = Atomic<Int>(0)
    private let released = Atomic<Int>(0)

    package struct Snapshot: Sendable, Equatable {
        package var passed = 0
        package var refused = 0
        /// Of both, those that this process decided alone, though others should have had a say.
        package var decidedAlone = 0
        /// Units that were really used.
        package var settled = 0
        /// Units that were taken before they were used, where that is estimated, and those of them that were given back unused.
        package var reserved = 0
        package var released = 0
    }

    package var snapshot: Snapshot {
        Snapshot(
            passed: passed.load(ordering: .relaxed), refused: refused.load(ordering: .relaxed),
            decidedAlone: alone.load(ordering: .relaxed), settled: settled.load(ordering: .relaxed),
            reserved: reserved.load(ordering: .relaxed), released: released.load(ordering: .relaxed))
    }

    /// - Parameter used: in units; a count that has gone round once is of no use, and traps nobody.
    @inline(__always) func settle(used: Int) {
        passed.add(1, ordering: .relaxed)
        if used > 0 { settled.wrappingAdd(used, ordering: .relaxed) }
    }

    func reserve(_ amount: Int) { reserved.wrappingAdd(amount, ordering: .relaxed) }
    func release(_ amount: Int) { if amount > 0 { released.wrappingAdd(amount, ordering: .relaxed) } }
    func refuse() { refused.add(1, ordering: .relaxed) }
    func decideAlone() { alone.add(1, ordering: .relaxed) }
}
