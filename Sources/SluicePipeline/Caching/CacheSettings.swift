package import SluicePolicy
package import SluiceStorage

/// The cache as a configuration wants it.
package final class CacheSettings: Sendable {
    package let policy: CachePolicy
    /// How entries look in Redis.
    package let codec: EntryCodec
    /// Whether Redis is a second level, where there is one.
    package let usesRedis: Bool
    /// What stands for everything in a provider's configuration that changes answers, by its name.
    package let revisions: [String: String]

    package init(policy: CachePolicy, codec: EntryCodec, usesRedis: Bool, revisions: [String: String]) {
        self.policy = policy
        self.codec = codec
        self.usesRedis = usesRedis
        self.revisions = revisions
    }
}

/// What a configuration says about requests with an `Idempotency-Key`.
package struct IdempotencySettings: Sendable {
    /// For how long a reply comes again.
    package let ttl: Duration
    /// The longest reply that is kept.
    package let entryByteCountMax: Int
    package let codec: EntryCodec
    package let usesRedis: Bool

    package init(ttl: Duration, entryByteCountMax: Int, codec: EntryCodec, usesRedis: Bool) {
        self.ttl = ttl
        self.entryByteCountMax = entryByteCountMax
        self.codec = codec
        self.usesRedis = usesRedis
    }
}
