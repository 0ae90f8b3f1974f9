package import SluiceCore
internal import SluiceNet
package import SluicePolicy

/// The second level: answers in Redis, shared by all processes. Whatever Redis does not do in time has not happened.
package struct RedisCache {
    /// What tells other processes that this one asks.
    package struct Lock: Sendable {
        fileprivate let name: String
        fileprivate let token: String
    }

    package enum Locking: Sendable {
        case locked(Lock)
        /// Redis has not said so in time: it may be ours, and is to be given back.
        case unsure(Lock)
        /// Another process asks.
        case taken
        case unavailable
    }

    /// Under which names entries are kept: answers and replies under idempotency keys stay apart.
    package enum Space: String, Sendable {
        case answers = "cache:"
        case replies = "idempotency:"
    }

    private let client: RedisClient
    private let codec: EntryCodec
    private let space: Space
    private let cache: ResponseCache
    /// Deletes a lock that is still ours.
    private static let unlock = RedisScript(
        "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0")
    /// Lets a lock that is still ours live for `ARGV[2]` milliseconds more.
    private static let extend = RedisScript(
        "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0")
    /// Notes that `ARGV[1]` was purged at `ARGV[2]`. Of more than `ARGV[3]` notes one is made, that all was: the list is read whole.
    private static let notePurge = RedisScript(
        """
        redis.call('hset', KEYS[1], ARGV[1], ARGV[2])
        if redis.call('hlen', KEYS[1]) > tonumber(ARGV[3]) then
          local latest = 0
          for _, time in ipairs(redis.call('hvals', KEYS[1])) do latest = math.max(latest, tonumber(time) or 0) end
          redis.call('del', KEYS[1])
          redis.call('hset', KEYS[1], ARGV[5], string.format('%.0f', latest))
        end
        return redis.call('expire', KEYS[1], ARGV[4])
        """)
    private static let purgesName = "cache:purges"
    /// Longer than any entry lives.
    private static let purgesSeconds = 40 * 86_400
    private static let channelName = "cache:purge"

    package init(_ client: RedisClient, _ codec: EntryCodec, _ space: Space, _ cache: ResponseCache) {
        self.client = client
        self.codec = codec
        self.space = space
        self.cache = cache
    }

    package var isAvailable: Bool { client.isAvailable }

    /// What is between the braces decides which node of a cluster has it: the same for an entry and its lock, so that a lock is never
    /// gone before the entry is there.
    private func name(_ key: CacheKey) -> String { client.key(space.rawValue + "{" + key.text + "}") }

    // MARK: Entries

    /// - Parameters:
    ///   - now: the loop's time, for the entry's lifetime.
    ///   - time: in milliseconds since 1970.
    /// - Returns: `nil` if there is none, it was purged, it cannot be read, or Redis does not say in time.
    package func entry(_ key: CacheKey, now: Instant, time: Int) async -> CacheEntry? {
        guard client.isAvailable, let reply = try? await client.call(RedisCommand("GET", key: name(key))),
            let bytes = reply.bytes
        else { return nil }
        guard let found = codec.decode(bytes.span, for: key, now: now, time: time) else {
            cache.counters.couldNotRead()
            return nil
        }
        let labels = found.entry.labels
        let isPurged = cache.purges.covers(
            key, created: found.created, model: labels.model, scene: labels.scene, tenant: labels.tenant)
        return isPurged ? nil : found.entry
    }

    /// Nobody waits for it.
    package func store(_ entry: CacheEntry, for key: CacheKey, now: Instant, time: Int) {
        guard client.isAvailable else { return }
        let rest = entry.lifetime.whole - entry.lifetime.age(at: now)
        let milliseconds = Int(rest.nanoseconds / 1_000_000)
        if milliseconds <= 0 { return }
        var command = RedisCommand("SET", key: name(key))
        let bytes = codec.encode(entry, for: key, now: now, time: time)
        command.append(bytes.span)
        command.append("PX" as StaticString)
        command.append(milliseconds)
        client.post(command)
    }

    // MARK: Who asks

    /// - Parameters:
    ///   - token: what nobody else would choose.
    ///   - lease: after which the lock is gone whatever became of the process.
    package func lock(_ key: CacheKey, token: String, lease: Duration) async -> Locking {
        let name = name(key) + ":lock"
        var command = RedisCommand("SET", key: name)
        command.append(token)
        command.append("NX" as StaticString)
        command.append("PX" as StaticString)
        command.append(Int(lease.nanoseconds / 1_000_000))
        if !client.isAvailable { return .unavailable }
        let lock = Lock(name: name, token: token)
        do throws(RedisUnavailable) {
            return switch try await client.call(command) {
            case .status: .locked(lock)
            case .null: .taken
            default: .unavailable
            }
        } catch {
            return error.reason == .timedOut ? .unsure(lock) : .unavailable
        }
    }

    /// Has the lock live for so long from now. Nobody waits for it.
    package func extend(_ lock: Lock, lease: Duration) {
        if !client.supportsScripts || !client.isAvailable { return }
        let (client, milliseconds) = (client, lease.nanoseconds / 1_000_000)
        EventLoop.current?.spawn {
            _ = try? await client.run(Self.extend, key: lock.name, [lock.token, "\(milliseconds)"])
        }
    }

    /// Nobody waits for it. Where scripts are forbidden the lock ends by itself.
    package func unlock(_ lock: Lock) {
        guard client.supportsScripts, client.isAvailable else { return }
        let client = client
        EventLoop.current?.spawn { _ = try? await client.run(Self.unlock, key: lock.name, [lock.token]) }
    }

    // MARK: Purging

    /// Has all processes forget: those that listen at once, the others when they begin.
    ///
    /// - Parameter time: in milliseconds since 1970.
    /// - Returns: whether Redis has heard of it.
    package func purge(_ target: PurgeTarget, at time: Int) async -> Bool {
        var message = RedisCommand("PUBLISH", key: client.key(Self.channelName))
        message.append("\(time) \(target.text)")
        do throws(RedisUnavailable) {
            let noted = try await note(target, at: time)
            let published = try await client.call(message)
            return noted.error == nil && published.error == nil
        } catch {
            return false
        }
    }

    private func note(_ target: PurgeTarget, at time: Int) async throws(RedisUnavailable) -> RedisReply {
        let name = client.key(Self.purgesName)
        if client.supportsScripts {
            let reply = try await client.run(
                Self.notePurge, key: name,
                [
                    target.text, "\(time)", "\(PurgeMarks.countMax)", "\(Self.purgesSeconds)", PurgeTarget.all.text,
                ])
            return reply
        }
        var command = RedisCommand("HSET", key: name)
        command.append(target.text)
        command.append(time)
        let reply = try await client.call(command)
        var expiry = RedisCommand("EXPIRE", key: name)
        expiry.append(Self.purgesSeconds)
        client.post(expiry)
        return reply
    }

    /// Listens for what other processes purge.
    package func followPurges() {
        let cache = cache
        client.subscribe(client.key(Self.channelName)) { message in
            let text = String(decoding: message.span)
            guard let space = text.firstIndex(of: " "), let time = Int(text[..<space]),
                let target = PurgeTarget(text: String(text[text.index(after: space)...]))
            else { return }
            cache.purge(target, at: time, now: Self.now)
        }
    }

    /// Finds out what was purged before this process began, or while it could not listen.
    package func learnPurges() async {
        guard client.isAvailable,
            let reply = try? await client.call(RedisCommand("HGETALL", key: client.key(Self.purgesName))),
            let words = reply.array
        else { return }
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            guard let target = words[index].text.flatMap(PurgeTarget.init(text:)),
                let time = words[index + 1].text.flatMap(Int.init)
            else { continue }
            cache.purge(target, at: time, now: Self.now)
        }
    }

    private static var now: Int { Int(EventLoop.readWallClock() / 1_000_000) }
}
