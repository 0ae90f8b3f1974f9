package import SluiceCore

/// How long a kept answer is good, and for what.
package struct Lifetime: Sendable, Equatable {
    /// When the provider gave the answer.
    package var createdAt: Instant
    package var ttl: Duration
    package var staleWhileRevalidate: Duration
    package var staleIfError: Duration

    package init(
        createdAt: Instant, ttl: Duration, staleWhileRevalidate: Duration = .zero, staleIfError: Duration = .zero
    ) {
        self.createdAt = createdAt
        self.ttl = ttl
        self.staleWhileRevalidate = staleWhileRevalidate
        self.staleIfError = staleIfError
    }

    package enum Freshness: Sendable, Equatable {
        case fresh
        /// One caller asks anew; the others still get it.
        case revalidating
        /// It is good in place of a failure only.
        case lastResort
        case over
    }

    package func freshness(at now: Instant) -> Freshness {
        let age = age(at: now)
        if age < ttl { return .fresh }
        if age < ttl + staleWhileRevalidate { return .revalidating }
        return age < ttl + staleIfError ? .lastResort : .over
    }

    /// Never negative.
    package func age(at now: Instant) -> Duration { max(.zero, now - createdAt) }

    /// How long it is of any use, from its creation.
    package var whole: Duration { ttl + max(staleWhileRevalidate, staleIfError) }
}
