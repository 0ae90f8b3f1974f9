package import SluiceCore
internal import Synchronization

/// How a target has been doing lately: what is under way there, how fast it answers, and how often it fails.
///
/// Everything decays, so that a target that was slow or failed is tried again.
package final class TargetLoad: Sendable {
    /// What became of an attempt, as far as the target is to blame.
    package enum Outcome: Sendable {
        case success, failure
        /// It says nothing of the target: the application left, or the request was at fault.
        case neutral
    }

    private let outstandingCount = Atomic<Int>(0)
    private let answers = Atomic<Int>(0)
    private let failures = Atomic<Int>(0)
    private let timed = Atomic<Int>(0)
    private let timedMicros = Atomic<Int>(0)
    private let recent = SlidingCount()
    /// In microseconds. What is streamed begins early; what is not begins when it is finished.
    private let streamedLatency = DecayingValue(timeConstant: timeConstant)
    private let wholeLatency = DecayingValue(timeConstant: timeConstant)
    /// The share of failures, in millionths.
    private let trouble = DecayingValue(timeConstant: timeConstant)

    /// How far back `failsOften` looks: also the longest that a target is passed over that is well again.
    package static let recentWindow = Duration.seconds(30)
    /// Fewer failures may be chance.
    private static let recentFailuresMin = 3
    /// One of so many.
    private static let recentFailuresShare = 3
    private static let timeConstant = Duration.seconds(10)
    /// How much one answer counts in the share of failures.
    private static let sampleShare = 0.2
    private static let whole = 1_000_000.0
    /// A target that only fails is as slow as this, in microseconds, and then some; one that has not answered yet too.
    private static let penalty = 1_000_000.0

    init() {}

    // MARK: Noting

    /// An attempt begins; `end` must follow, once.
    package func begin() { outstandingCount.add(1, ordering: .relaxed) }

    /// - Parameter latency: from sending the request to the head of the answer; `nil` if none came.
    package func end(latency: Duration?, _ outcome: Outcome, isStream: Bool, at now: Instant) {
        outstandingCount.subtract(1, ordering: .relaxed)
        if outcome == .neutral { return }
        answers.add(1, ordering: .relaxed)
        if outcome == .failure { failures.add(1, ordering: .relaxed) }
        recent.count(failed: outcome == .failure, slow: false, window: Self.recentWindow, at: now)
        trouble.mix(outcome == .failure ? Self.whole : 0, share: Self.sampleShare, at: now)
        // A failure that comes fast is not a fast answer.
        guard outcome == .success, let latency else { return }
        let microseconds = max(1, Double(latency.nanoseconds) / 1000)
        timed.add(1, ordering: .relaxed)
        timedMicros.add(Int(microseconds), ordering: .relaxed)
        if isStream {
            streamedLatency.peak(microseconds, at: now)
        } else {
            wholeLatency.peak(microseconds, at: now)
        }
    }

    // MARK: Asking

    package var outstanding: Int { max(0, outstandingCount.load(ordering: .relaxed)) }
    /// Since the process began.
    package var answerCount: Int { answers.load(ordering: .relaxed) }
    package var failureCount: Int { failures.load(ordering: .relaxed) }

    /// Since the process began.
    package var totals: TargetTotals {
        var totals = TargetTotals()
        totals.answers = answerCount
        totals.failures = failureCount
        totals.timed = timed.load(ordering: .relaxed)
        totals.timedMicros = timedMicros.load(ordering: .relaxed)
        return totals
    }

    /// `nil` if nothing was measured lately.
    package func latency(isStream: Bool, at now: Instant) -> Duration? {
        let value = isStream ? streamedLatency.value(at: now) : wholeLatency.value(at: now)
        return value < 1 ? nil : .microseconds(Int64(value))
    }

    /// The share of answers that were none, of late. 0 to 1.
    package func failureShare(at now: Instant) -> Double { min(1, trouble.value(at: now) / Self.whole) }

    /// Whether a third of the last calls failed, and three at least. What comes and goes is not for a breaker, whose time is soon over:
    /// but others are asked before it until it has been well, or left alone, for a while.
    package func failsOften(at now: Instant) -> Bool {
        if failureCount == 0 { return false }
        let sum = recent.sum(window: Self.recentWindow, at: now)
        return sum.failed >= Self.recentFailuresMin && sum.failed * Self.recentFailuresShare >= sum.total
    }

    /// What one more request may expect to wait there: the less the better.
    package func score(isStream: Bool, weight: Int, at now: Instant) -> Double {
        let failing = failureShare(at: now)
        var expected = isStream ? streamedLatency.value(at: now) : wholeLatency.value(at: now)
        let outstanding = outstanding
        if expected == 0, outstanding > 0 { expected = Self.penalty }
        let reliability = max(0.05, 1 - failing)
        expected = (expected + failing * Self.penalty) / (reliability * reliability)
        return expected * Double(outstanding + 1) / Double(max(1, weight))
    }
}
