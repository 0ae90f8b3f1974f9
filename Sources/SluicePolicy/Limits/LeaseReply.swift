/// What Redis is asked for: at least and at most so many units. One at a time asks for a lease besides what it needs.
package struct LeaseQuestion: Equatable, Sendable {
    package let least: Int
    package let most: Int
    /// What there was of the lease, and goes to the request with what is granted.
    let brought: Int
    /// Whether it asks for a lease.
    let isRenewal: Bool
}

/// What Redis says to a question for a lease.
package struct LeaseReply: Sendable, Equatable {
    /// 0 if there is not as much as was asked for at least.
    package let granted: Int
    /// Units that are left for others.
    package let remaining: Int
    /// Until the bucket is full again.
    package let reset: Duration
    /// Until there is enough; zero if there is.
    package let wait: Duration

    package init(granted: Int, remaining: Int, reset: Duration, wait: Duration) {
        self.granted = granted
        self.remaining = remaining
        self.reset = reset
        self.wait = wait
    }

    /// Reads the numbers of the script: units granted, units left, and microseconds until it is full and until there is enough.
    ///
    /// Whatever stands there, what comes of it is within what was asked for and what the limit may be.
    ///
    /// - Returns: `nil` unless there are four.
    package init?(_ numbers: [Int?], to question: LeaseQuestion, of rule: LimitRule) {
        guard numbers.count == 4, let granted = numbers[0], let remaining = numbers[1], let reset = numbers[2],
            let wait = numbers[3]
        else { return nil }
        self.init(
            granted: granted >= question.least ? min(granted, question.most) : 0,
            remaining: min(max(0, remaining), rule.meter.burst), reset: Self.time(reset), wait: Self.time(wait))
    }

    private static func time(_ microseconds: Int) -> Duration { .microseconds(min(max(0, microseconds), timeMax)) }
    /// Ten years, in microseconds.
    private static let timeMax = 315_360_000_000_000
}
