internal import SluiceConfig
internal import SluiceCore
internal import SluicePipeline
internal import SluicePolicy
internal import SluiceStorage
internal import SluiceTLS

/// What the cache and idempotency keys are in a snapshot.
enum CachingBuilder {
    static func cache(_ configuration: ServerConfiguration, _ lasting: LastingState) -> CacheSettings? {
        lasting.cache.memory.resize(to: configuration.cache?.memoryByteCount ?? 0)
        guard let cache = configuration.cache else { return nil }
        var policy = CachePolicy()
        policy.general = rule(cache.rule)
        for model in cache.models { policy.models[model.name] = rule(model.value) }
        for scene in cache.scenes { policy.scenes[scene.name] = rule(scene.value) }
        policy.jitter = cache.jitter
        policy.ttlMax = cache.ttlMax
        policy.entryByteCountMax = cache.entryByteCountMax
        policy.joinWait = cache.joinWait
        policy.fleetWait = cache.fleetWait
        return CacheSettings(
            policy: policy, codec: EntryCodec(secret: cache.encryptionKey, vault: lasting.vault), usesRedis: cache.usesRedis,
            revisions: Dictionary(
                configuration.providers.map { ($0.name, revision($0)) }, uniquingKeysWith: { first, _ in first }))
    }

    static func idempotency(_ configuration: ServerConfiguration, _ lasting: LastingState) -> IdempotencySettings? {
        let idempotency = configuration.idempotency
        lasting.cache.replies.resize(to: idempotency.isEnabled ? idempotency.memoryByteCount : 0)
        if !idempotency.isEnabled { return nil }
        return IdempotencySettings(
            ttl: idempotency.ttl, entryByteCountMax: idempotency.entryByteCountMax,
            codec: EntryCodec(
                secret: idempotency.encryptionKey ?? configuration.cache?.encryptionKey, vault: lasting.vault),
            usesRedis: idempotency.usesRedis)
    }

    /// Users and teams are read only where answers are shared by them.
    static func asksWhoCalls(_ configuration: ServerConfiguration) -> Bool {
        guard let cache = configuration.cache else { return false }
        let rules = [cache.rule] + cache.models.map(\.value) + cache.scenes.map(\.value)
        return rules.contains { $0.scope == .user || $0.scope == .team }
    }

    private static func rule(_ configuration: CacheRuleConfiguration) -> CacheRule {
        var rule = CacheRule()
        rule.isEnabled = configuration.isEnabled
        rule.ttl = configuration.ttl
        rule.errorTTL = configuration.errorTTL
        rule.staleWhileRevalidate = configuration.staleWhileRevalidate
        rule.staleIfError = configuration.staleIfError
        rule.isNondeterministicCached = configuration.isNondeterministicCached
        switch configuration.scope {
        case .global: rule.scope = .global
        case .key: rule.scope = .key
        case .user: rule.scope = .user
        case .team: rule.scope = .team
        }
        return rule
    }

    /// Another one for everything that changes what a provider is asked, and the same in every process that has the same
    /// configuration.
    private static func revision(_ provider: ProviderConfiguration) -> String {
        var hash = SHA256()
        let adapter = provider.adapter?.text ?? []
        hash.update(adapter.span)
        let parts = [
            provider.dialect.rawValue, provider.responses.rawValue, provider.baseURL.description,
            "\(provider.query)", "\(provider.capabilities)",
        ]
        for part in parts {
            let bytes = part.utf8Span
            hash.update(bytes.span)
            hash.update("\0".utf8Span.span)
        }
        for header in provider.headers {
            hash.update("\(header.name):".utf8Span.span)
            header.value.withExposed { hash.update($0) }
            hash.update("\0".utf8Span.span)
        }
        return String(hash.finish().hexadecimal.prefix(16))
    }
}
