internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON

/// What became of one model's requests.
struct ModelCounts: Sendable {
    /// Requests with an `x-request-id` that was not seen before, or without one.
    private(set) var requests = 0
    /// Everything that arrived: retries of a proxy with the same `x-request-id` too.
    private(set) var attempts = 0
    private(set) var answered = 0
    private(set) var failed = 0
    private(set) var cancelled = 0
    /// After how many milliseconds the other side left, the last ones.
    private(set) var cancelledAfter: [Double] = []

    private static let cancelledAfterMax = 64

    /// - Returns: the number of the attempt.
    mutating func enter(isRetry: Bool) -> Int {
        attempts += 1
        if !isRetry { requests += 1 }
        return attempts
    }

    mutating func leave(_ outcome: Ledger.Outcome) {
        switch outcome {
        case .answered(let status): if status.isSuccess { answered += 1 } else { failed += 1 }
        case .failed: failed += 1
        case .cancelled(let after):
            cancelled += 1
            if cancelledAfter.count == Self.cancelledAfterMax { cancelledAfter.removeFirst() }
            cancelledAfter.append(after.milliseconds)
        }
    }

    mutating func add(_ other: ModelCounts) {
        requests += other.requests
        attempts += other.attempts
        answered += other.answered
        failed += other.failed
        cancelled += other.cancelled
        cancelledAfter = (cancelledAfter + other.cancelledAfter).suffix(Self.cancelledAfterMax)
    }

    func write(_ json: inout JSONWriter) {
        json.object { json in
            json.member("requests", requests)
            json.member("attempts", attempts)
            json.member("open", attempts - answered - failed - cancelled)
            json.member("answered", answered)
            json.member("failed", failed)
            json.member("cancelled", cancelled)
            json.key("cancelled_after_ms")
            json.array { json in for milliseconds in cancelledAfter { json.double(milliseconds) } }
        }
    }
}
