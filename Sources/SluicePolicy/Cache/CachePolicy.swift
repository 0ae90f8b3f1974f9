internal import SluiceCore

/// Who shares answers with whom.
package enum CacheScope: String, Sendable, CaseIterable {
    /// Everybody.
    case global
    /// Those who show the same credential, of the same team.
    case key
    /// Each user of a credential has answers of its own.
    case user
    /// Those of one team, whatever credential they show.
    case team
}

/// What is cached of a model's answers, and for how long.
package struct CacheRule: Sendable, Equatable {
    package var isEnabled = true
    /// For how long an answer is fresh.
    package var ttl = Duration.seconds(3600)
    /// Errors that would come again: for how long; zero: they are not kept.
    package var errorTTL = Duration.seconds(10)
    /// After it is no longer fresh, for how long one caller renews an answer while the others still get it.
    package var staleWhileRevalidate = Duration.zero
    /// After it is no longer fresh, for how long an answer is better than a failure.
    package var staleIfError = Duration.zero
    /// Whether answers are cached although asking again would bring another one: a temperature above 0, or none at all.
    package var isNondeterministicCached = false
    package var scope = CacheScope.key

    package init() {}
}

/// Which rule holds for a request. Immutable, part of a configuration.
package struct CachePolicy: Sendable {
    /// For what no other rule is about.
    package var general = CacheRule()
    package var models: [String: CacheRule] = [:]
    package var scenes: [String: CacheRule] = [:]
    /// TTLs differ by so much at random, as a share, so that what was asked at one time is not asked again at one time.
    package var jitter = 0.1
    /// The longest TTL that a request may ask for.
    package var ttlMax = Duration.seconds(604_800)
    /// The longest answer that is kept.
    package var entryByteCountMax = 1_048_576
    /// How long a request waits for the answer to one like it.
    package var joinWait = Duration.seconds(60)
    /// How long it waits for one that another process has asked for.
    package var fleetWait = Duration.seconds(5)

    package init() {}

    /// A scene's rule goes before a model's, and that before the general one; `nil` where nothing is cached.
    package func rule(model: String, scene: String?) -> CacheRule? {
        let rule = scene.flatMap { scenes[$0] } ?? models[model] ?? general
        return rule.isEnabled ? rule : nil
    }

    /// A TTL with its jitter.
    ///
    /// - Parameter random: any number.
    package func jittered(_ ttl: Duration, _ random: UInt64) -> Duration {
        let share = Double(random >> 11) / Double(1 << 53) * 2 - 1
        let nanoseconds = Double(ttl.nanoseconds) * (1 + share * jitter)
        return nanoseconds < 9e18 ? .nanoseconds(Int64(max(0, nanoseconds))) : ttl
    }
}
