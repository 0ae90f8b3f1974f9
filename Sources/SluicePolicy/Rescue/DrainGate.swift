internal import Synchronization

/// How many answers are read to their end although nobody wants them any more, for the sake of what they say they cost.
package final class DrainGate: Sendable {
    package struct Snapshot: Sendable, Equatable {
        package var underWay: Int
        /// Since the start of the process.
        package var begun: Int
        package var refused: Int

        package init(underWay: Int, begun: Int, refused: Int) {
            self.underWay = underWay
            self.begun = begun
            self.refused = refused
        }
    }

    private let underWay = Atomic<Int>(0)
    private let begun = Atomic<Int>(0)
    private let refused = Atomic<Int>(0)

    package init() {}

    /// - Parameter max: at one time, in the process.
    /// - Returns: whether another one may begin; it has to `leave()` then.
    package func enter(max: Int) -> Bool {
        let (_, count) = underWay.add(1, ordering: .relaxed)
        if count <= max {
            begun.add(1, ordering: .relaxed)
            return true
        }
        underWay.subtract(1, ordering: .relaxed)
        refused.add(1, ordering: .relaxed)
        return false
    }

    package func leave() { underWay.subtract(1, ordering: .relaxed) }

    package var snapshot: Snapshot {
        Snapshot(
            underWay: underWay.load(ordering: .relaxed), begun: begun.load(ordering: .relaxed),
            refused: refused.load(ordering: .relaxed))
    }
}
