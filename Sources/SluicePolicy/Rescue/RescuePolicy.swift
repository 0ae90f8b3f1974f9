/// What may be done about a stream whose provider failed, and how much of it is kept for that.
package struct RescuePolicy: Sendable, Equatable {
    /// The ways in which an answer may go on after some of it went out, in the order in which they are tried.
    package struct Ways: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// A model that continues a message of the assistant is given what the application has.
        package static let prefill = Ways(rawValue: 1)
        /// The request is sent again, and its answer counts if it repeats what the application has.
        package static let splice = Ways(rawValue: 2)

        package init(_ way: RescueStep.Way) {
            self =
                switch way {
                case .prefill: .prefill
                case .splice: .splice
                }
        }
    }

    package var ways: Ways = [.prefill, .splice]
    /// Whether a model with one target is rescued as well: nobody asked for it unless the configuration says so.
    package var includesSingleTargets = false
    /// Requests that are sent for the sake of one stream, after the one that failed.
    package var attemptsMax = 4
    /// Of an answer, as it stands in JSON; a longer one is not rescued.
    package var byteCountMax = 1_048_576
    /// Of what a provider sends before its answer begins; more goes out at once.
    package var heldByteCountMax = 16_384
    package var heldEventCountMax = 64

    package init() {}

    /// The same in these ways, whichever targets there are: somebody has asked for it.
    package func allowing(_ ways: Ways) -> Self {
        var policy = self
        policy.ways = ways
        policy.includesSingleTargets = true
        return policy
    }
}

/// A way of going on, at one target of a plan.
package struct RescueStep: Sendable, Equatable {
    package enum Way: String, Sendable, CaseIterable { case prefill, splice }

    package let way: Way
    /// The target's place in the plan.
    package let position: Int

    package init(_ way: Way, at position: Int) {
        self.way = way
        self.position = position
    }

    /// What to try, in order: all ways of the first kind before those of the second.
    ///
    /// - Parameters:
    ///   - current: the place of the target that failed.
    ///   - isSameFirst: whether it is worth another try before the others.
    ///   - continues: whether the target at a place continues what it is given.
    package static func plan(
        _ ways: RescuePolicy.Ways, current: Int, count: Int, isSameFirst: Bool, continues: (Int) -> Bool
    ) -> [RescueStep] {
        guard current >= 0, current < count else { return [] }
        let others = Array(current + 1..<count)
        let places = isSameFirst ? [current] + others : others + [current]
        var steps: [RescueStep] = []
        if ways.contains(.prefill) { for place in places where continues(place) { steps.append(.init(.prefill, at: place)) } }
        if ways.contains(.splice) { for place in places { steps.append(.init(.splice, at: place)) } }
        return steps
    }
}
