package import SluiceCore

/// Requests with an `Idempotency-Key`: the work is done once, and its reply comes again.
package struct IdempotencyConfiguration: Sendable, Equatable {
    package var isEnabled = true
    /// 1 s to 7 days.
    package var ttl = Duration.seconds(86_400)
    /// 1 MB to 16 GB.
    package var memoryByteCount = 33_554_432
    /// 1 KB to 64 MB.
    package var entryByteCountMax = 4_194_304
    /// Whether all processes know of a key, where there is a `redis` section.
    package var usesRedis = true
    /// Replies in Redis are encrypted with a key that is made of it; `nil`: they are not.
    package var encryptionKey: Secret?

    package init() {}

    package static func read(_ section: ConfigSection) -> Self {
        var idempotency = Self()
        idempotency.isEnabled = section.boolean(
            "enabled", default: idempotency.isEnabled,
            doc: "Whether an `Idempotency-Key` means something here. It is passed on in any case.")
        idempotency.ttl = section.duration(
            "ttl_ms", default: idempotency.ttl, in: 1000...604_800_000, doc: "For how long a reply comes again.")
        idempotency.memoryByteCount = section.integer(
            "memory_bytes", default: idempotency.memoryByteCount, in: 1_048_576...17_179_869_184,
            doc: "What is kept in the memory of the process; it is taken only as it is needed.")
        idempotency.entryByteCountMax = section.integer(
            "entry_bytes_max", default: idempotency.entryByteCountMax, in: 1024...67_108_864,
            doc: "The longest reply that is kept. After a longer one the same key is refused.")
        idempotency.usesRedis = section.boolean(
            "redis", default: idempotency.usesRedis,
            doc: "Keeps replies in Redis too, where there is a `redis` section, so that all processes know them.")
        idempotency.encryptionKey = section.optionalSecret(
            "encryption_key", doc: "As `cache.encryption_key`. null: that one, if there is one.")
        return idempotency
    }
}
