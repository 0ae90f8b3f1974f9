package import SluiceCore

/// Answers that are kept, and given again to those who ask the same.
package struct CacheConfiguration: Sendable, Equatable {
    package enum Scope: String, Sendable, CaseIterable { case global, key, user, team }

    /// For what no model's or scene's rule is about.
    package var rule = CacheRuleConfiguration()
    /// By the name that applications ask for.
    package var models: [Named<CacheRuleConfiguration>] = []
    /// By `prompt_id`; they go before models.
    package var scenes: [Named<CacheRuleConfiguration>] = []
    /// In the memory of the process. 0 (Redis alone) to 64 GB.
    package var memoryByteCount = 67_108_864
    /// The longest answer that is kept. 1 KB to 16 MB.
    package var entryByteCountMax = 1_048_576
    /// TTLs differ by up to this share. 0 to 0.5.
    package var jitter = 0.1
    /// The longest TTL that a request may ask for. 1 s to 30 days.
    package var ttlMax = Duration.seconds(604_800)
    /// How long a request waits for the answer to one like it. 0 to 10 min.
    package var joinWait = Duration.seconds(60)
    /// How long it waits for one that another process has asked for. 0 to 1 min.
    package var fleetWait = Duration.seconds(5)
    /// Whether Redis is a second level, where there is a `redis` section.
    package var usesRedis = true
    /// Answers in Redis are encrypted with a key that is made of it; `nil`: they are not.
    package var encryptionKey: Secret?

    package init() {}

    static let daysMax = 2_592_000_000

    package static func read(_ section: ConfigSection) -> Self {
        var cache = Self()
        cache.rule = .read(section, over: cache.rule)
        let general = cache.rule
        cache.models = section.dictionary(
            "models", names: .model, count: 0...1000,
            doc: "What is different for a model, by the name that applications ask for."
        ) { Named($0, CacheRuleConfiguration.read($1, over: general)) }
        cache.scenes = section.dictionary(
            "scenes", names: .scene, count: 0...1000,
            doc: "What is different for a scene (`prompt_id` of the platform's API). It goes before `models`."
        ) { Named($0, CacheRuleConfiguration.read($1, over: general)) }
        cache.memoryByteCount = section.integer(
            "memory_bytes", default: cache.memoryByteCount, in: 0...68_719_476_736,
            doc: "What is kept in the memory of the process, for all workers. 0: nothing, answers are in Redis alone.")
        cache.entryByteCountMax = section.integer(
            "entry_bytes_max", default: cache.entryByteCountMax, in: 1024...16_777_216,
            doc: "The longest answer that is kept.")
        cache.jitter = section.number(
            "ttl_jitter", default: cache.jitter, in: 0...0.5,
            doc:
                "TTLs differ at random by up to this share, so that what was asked at one time is not asked again at one time."
        )
        cache.ttlMax = section.duration(
            "ttl_max_ms", default: cache.ttlMax, in: 1000...daysMax,
            doc: "The longest TTL that a request may ask for with `x-sluice-cache-ttl`.")
        cache.joinWait = section.duration(
            "join_wait_ms", default: cache.joinWait, in: 0...600_000,
            doc: "How long a request waits for the answer to one like it that is under way, before it is sent itself.")
        cache.fleetWait = section.duration(
            "fleet_wait_ms", default: cache.fleetWait, in: 0...60_000,
            doc: "The same, where another process has sent it (with Redis).")
        cache.usesRedis = section.boolean(
            "redis", default: cache.usesRedis, doc: "Keeps answers in Redis too, where there is a `redis` section.")
        cache.encryptionKey = section.optionalSecret(
            "encryption_key",
            doc:
                "Answers in Redis are encrypted with a key that is made of this secret (AES-256-GCM): 32 random bytes or more. null: with the master key, if there is a `secrets` section, or else not at all. What was written under another one is not found."
        )
        return cache
    }
}

/// What is cached, and for how long.
package struct CacheRuleConfiguration: Sendable, Equatable {
    package var isEnabled = true
    /// 1 s to 30 days.
    package var ttl = Duration.seconds(3600)
    /// 0 to 10 min; 0: errors are not kept.
    package var errorTTL = Duration.seconds(10)
    /// 0 to 30 days.
    package var staleWhileRevalidate = Duration.zero
    /// 0 to 30 days.
    package var staleIfError = Duration.zero
    package var isNondeterministicCached = false
    package var scope = CacheConfiguration.Scope.key

    package init() {}

    /// - Parameter general: what holds where the section says nothing.
    static func read(_ section: ConfigSection, over general: Self) -> Self {
        var rule = general
        let days = CacheConfiguration.daysMax
        rule.isEnabled = section.boolean("enabled", default: rule.isEnabled, doc: "Whether answers are kept at all.")
        rule.ttl = section.duration(
            "ttl_ms", default: rule.ttl, in: 1000...days, doc: "For how long an answer is fresh.")
        rule.errorTTL = section.duration(
            "error_ttl_ms", default: rule.errorTTL, in: 0...600_000,
            doc:
                "For how long an error is kept that would come again: too long a context, an unknown model. 0: not at all."
        )
        rule.staleWhileRevalidate = section.duration(
            "stale_while_revalidate_ms", default: rule.staleWhileRevalidate, in: 0...days,
            doc: "For how long after that one request renews an answer while the others still get it.")
        rule.staleIfError = section.duration(
            "stale_if_error_ms", default: rule.staleIfError, in: 0...days,
            doc: "For how long after that an answer is given where providers fail.")
        rule.isNondeterministicCached = section.boolean(
            "nondeterministic", default: rule.isNondeterministicCached,
            doc:
                "Also caches what would be answered differently another time: requests without `temperature: 0`, and with tools that look something up. Off: only those whose header asks for it."
        )
        rule.scope = section.choice(
            "scope", default: rule.scope,
            doc:
                "Who shares answers: those with the same credential and team (`key`), each of their users for himself (`user`), those of one team (`team`), or everybody (`global`)."
        )
        return rule
    }
}

extension ConfigNames {
    static let scene = ConfigNames("a name of 1 to 256 bytes") { 1...256 ~= $0.utf8.count }
}
