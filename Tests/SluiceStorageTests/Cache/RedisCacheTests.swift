import NetTestSupport
import SluiceCore
import SluiceNet
import SluicePolicy
import TestSupport
import Testing

@testable import SluiceStorage

@Suite struct `The cache's second level` {
    private typealias Token = RedisCache.LockToken

    private static func key(_ byte: UInt8) throws -> CacheKey {
        let bytes = [UInt8](repeating: byte, count: CacheKey.byteCount)
        let key = CacheKey(bytes.span)
        return try #require(key)
    }

    private static func word(_ locking: RedisCache.Locking) -> String {
        switch locking {
        case .locked: "locked"
        case .unsure: "unsure"
        case .taken: "taken"
        case .unavailable: "unavailable"
        }
    }

    private static func word(_ finding: RedisCache.Finding) -> String {
        switch finding {
        case .entry: "entry"
        case .none(let locking): word(locking)
        }
    }

    private static func find(_ cache: RedisCache, _ key: CacheKey, _ token: Token) async -> RedisCache.Finding {
        await cache.find(key, token: token, lease: .seconds(60), now: Instant(nanoseconds: 0), time: 1_000)
    }

    /// Nobody waits for what is stored: it is sent whole to a server that does not know the script.
    private static func awaitEntry(_ cache: RedisCache, _ key: CacheKey) async throws {
        let deadline = EventLoop.readClock() + .seconds(15)
        while await cache.entry(key, now: Instant(nanoseconds: 0), time: 1_000) == nil {
            try #require(EventLoop.readClock() < deadline, "it was not kept")
        }
    }

    private static var entry: CacheEntry {
        CacheEntry(.chat, ByteBuffer("{}"), Lifetime(createdAt: Instant(nanoseconds: 0), ttl: .seconds(60)))
    }

    @Test func `one process asks, and what it keeps is found by the other`() async throws {
        let server = try RedisProcess()
        try await RedisTest.run(RedisSettings(server)) { redis async throws in
            let cache = RedisCache(redis.client, EntryCodec(secret: nil), .answers, ResponseCache())
            let key = try Self.key(1)
            let first = await Self.find(cache, key, Token(process: 1, number: 1))
            guard case .none(.locked(let lock)) = first else {
                Issue.record("\(Self.word(first))")
                return
            }
            #expect(Self.word(await Self.find(cache, key, Token(process: 2, number: 1))) == "taken")
            cache.store(Self.entry, for: key, now: Instant(nanoseconds: 0), time: 1_000, releasing: lock)
            try await Self.awaitEntry(cache, key)
            // The entry alone: the lock has been given back.
            #expect(try await redis.call(RedisCommand("DBSIZE")) == .integer(1))
            #expect(Self.word(await Self.find(cache, key, Token(process: 2, number: 2))) == "entry")
        }
    }

    @Test func `a lock that a process could not give back is in nobody's way there`() async throws {
        let server = try RedisProcess()
        try await RedisTest.run(RedisSettings(server)) { redis async throws in
            let cache = RedisCache(redis.client, EntryCodec(secret: nil), .answers, ResponseCache())
            let key = try Self.key(2)
            let first = await Self.find(cache, key, Token(process: 1, number: 1))
            let second = await Self.find(cache, key, Token(process: 1, number: 2))
            #expect(Self.word(first) == "locked" && Self.word(second) == "locked")
            guard case .none(.locked(let old)) = first, case .none(.locked(let new)) = second else { return }
            // What the first one gives back so late is not its own any more.
            cache.unlock(old)
            #expect(Self.word(await Self.find(cache, key, Token(process: 2, number: 1))) == "taken")
            cache.unlock(new)
            #expect(Self.word(await Self.find(cache, key, Token(process: 2, number: 2))) == "locked")
        }
    }

    @Test func `the lock alone goes by the same rule`() async throws {
        let server = try RedisProcess()
        try await RedisTest.run(RedisSettings(server)) { redis async throws in
            let cache = RedisCache(redis.client, EntryCodec(secret: nil), .answers, ResponseCache())
            let key = try Self.key(4)
            let words = [(1, 1), (2, 1), (1, 2)].map { Token(process: $0.0, number: $0.1) }
            var found: [String] = []
            for token in words { found.append(Self.word(await cache.lock(key, token: token, lease: .seconds(60)))) }
            #expect(found == ["locked", "taken", "locked"])
        }
    }

    @Test func `what is kept and given back reaches a server that has forgotten its scripts`() async throws {
        let server = try RedisProcess()
        try await RedisTest.run(RedisSettings(server)) { redis async throws in
            let cache = RedisCache(redis.client, EntryCodec(secret: nil), .answers, ResponseCache())
            let key = try Self.key(3)
            let first = await Self.find(cache, key, Token(process: 1, number: 1))
            guard case .none(.locked(let lock)) = first else {
                Issue.record("\(Self.word(first))")
                return
            }
            _ = try await off { server.ask("SCRIPT FLUSH SYNC") }
            cache.store(Self.entry, for: key, now: Instant(nanoseconds: 0), time: 1_000, releasing: lock)
            try await Self.awaitEntry(cache, key)
        }
    }
}
