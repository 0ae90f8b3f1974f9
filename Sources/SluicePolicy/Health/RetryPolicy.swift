package import SluiceCore

/// Decides what follows an attempt that failed. No state: everything that the decision depends on is in its arguments.
package enum RetryPolicy {
    /// The attempt that failed.
    package struct Failure: Sendable {
        package var kind: FailureClass
        /// The provider may have begun to work on the request.
        package var wasSent: Bool
        /// The provider says that asking again is of no use.
        package var isFinal = false
        /// For how long the key or target is closed, if it is.
        package var closedFor: Duration?

        package init(_ kind: FailureClass, wasSent: Bool, isFinal: Bool = false, closedFor: Duration? = nil) {
            self.kind = kind
            self.wasSent = wasSent
            self.isFinal = isFinal
            self.closedFor = closedFor
        }
    }

    /// What there is to choose from.
    package struct Situation: Sendable {
        /// Of the request so far.
        package var attempts = 1
        /// How often the target was asked again already.
        package var repeatsAtTarget = 0
        /// The target can be asked with another key.
        package var hasOtherKey = false
        /// There is another target that takes requests, and that the failure lets go there.
        package var hasNextTarget = false
        /// The request may be sent a second time at all: it is still here.
        package var isReplayable = true
        /// Doing it twice does no harm beyond its price.
        package var isSafeToRepeat = true
        package var timeLeft = Duration.seconds(600)

        package init() {}
    }

    package enum Step: Sendable, Equatable {
        /// Nothing more is tried.
        case giveUp
        /// Again, with another key.
        case otherKey
        /// Again, after a wait.
        case sameTarget(after: Duration)
        case nextTarget
    }

    /// - Parameters:
    ///   - withdraw: takes a repeat at the same target out of the budget; asked at most once, and only if everything else allows it.
    ///     A spent budget does not keep a request from another target: that one has no part in the trouble.
    package static func step(
        after failure: Failure, _ situation: Situation, _ settings: RetrySettings, using random: inout SplitMix64,
        withdraw: () -> Bool
    ) -> Step {
        let kind = failure.kind
        if !kind.mayPassElsewhere || !situation.isReplayable { return .giveUp }
        if situation.attempts >= settings.attemptsMax || situation.timeLeft < settings.attemptMin { return .giveUp }
        if failure.wasSent, !kind.isRefusal, !(situation.isSafeToRepeat && settings.afterSent) { return .giveUp }
        if situation.hasOtherKey, kind == .keyRefused || kind == .quota || kind == .rateLimited { return .otherKey }
        if situation.hasNextTarget { return .nextTarget }
        if failure.isFinal || !kind.mayPass || situation.repeatsAtTarget >= settings.sameTargetMax { return .giveUp }
        let wait = wait(failure, situation, settings, using: &random)
        if let closedFor = failure.closedFor, closedFor > settings.waitMax { return .giveUp }
        if situation.timeLeft < wait || situation.timeLeft - wait < settings.attemptMin { return .giveUp }
        return withdraw() ? .sameTarget(after: wait) : .giveUp
    }

    private static func wait(
        _ failure: Failure, _ situation: Situation, _ settings: RetrySettings, using random: inout SplitMix64
    ) -> Duration {
        let jitter = Backoff.wait(
            base: settings.backoffBase, longest: settings.backoffMax, repeats: situation.repeatsAtTarget, using: &random
        )
        // All who were told the same time would come back at the same time.
        return failure.closedFor.map { $0 + jitter / 4 } ?? jitter
    }
}
