package import SluiceCore
internal import SluiceNet
package import SluicePolicy

/// The second level: answers in Redis, shared by all processes. Whatever Redis does not do in time has not happened.
package struct RedisCache {
    /// What tells other processes that this one asks.
    package struct Lock: Sendable {
        fileprivate let key: CacheKey
        /// What nobody else would choose.
        fileprivate let token: Int
    }

    package enum Locking: Sendable {
        case locked(Lock)
        /// Redis has not said so in time: it may be ours, and is to be given back.
        case unsure(Lock)
        /// Another process asks.
        case taken
        case unavailable
    }

    package enum Finding: Sendable {
        case entry(CacheEntry)
        /// There is none, and whoever wants it asks: how that stands.
        case none(Locking)
    }

    /// Under which names entries are kept: answers and replies under idempotency keys stay apart.
    package enum Space: String, Sendable {
        case answers = "cache:"
        case replies = "idempotency:"
    }

    let client: RedisClient
    private let codec: EntryCodec
    private let space: Space
    let cache: ResponseCache
    /// What is kept, or the lock that says who asks for it, in one step.
    private static let find = RedisScript(
        """
        local kept = redis.call('get', KEYS[1])
        if kept then return kept end
        if redis.call('set', KEYS[2], ARGV[1], 'nx', 'px', ARGV[2]) then return 1 end
        return 0
        """)
    /// Keeps an entry, and deletes a lock that is still ours.
    private static let store = RedisScript(
        """
        redis.call('set', KEYS[1], ARGV[2], 'px', ARGV[3])
        if redis.call('get', KEYS[2]) == ARGV[1] then redis.call('del', KEYS[2]) end
        return 1
        """)
    /// Deletes a lock that is still ours.
    private static let unlock = RedisScript(
        "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0")
    /// Lets a lock that is still ours live for `ARGV[2]` milliseconds more.
    private static let extend = RedisScript(
        "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0")

    package init(_ client: RedisClient, _ codec: EntryCodec, _ space: Space, _ cache: ResponseCache) {
        self.client = client
        self.codec = codec
        self.space = space
        self.cache = cache
    }

    package var isAvailable: Bool { client.isAvailable }

    // MARK: Names

    private func appendName(_ key: CacheKey, to command: inout RedisCommand) {
        command.append(nameByteCount, isKey: true) { appendName(key, to: $0) }
    }

    private func appendLockName(_ key: CacheKey, to command: inout RedisCommand) {
        command.append(nameByteCount + 5, isKey: true) { buffer in
            appendName(key, to: buffer)
            buffer.append(":lock")
        }
    }

    private var nameByteCount: Int {
        client.settings.prefix.utf8.count + space.rawValue.utf8.count + CacheKey.textByteCount + 2
    }

    /// What is between the braces decides which node of a cluster has it: the same for an entry and its lock, so that both can be
    /// seen in one step.
    private func appendName(_ key: CacheKey, to buffer: ByteBuffer) {
        buffer.append(client.settings.prefix)
        buffer.append(space.rawValue)
        buffer.append(UInt8(ascii: "{"))
        key.append(hexadecimalTo: buffer)
        buffer.append(UInt8(ascii: "}"))
    }

    // MARK: Entries

    /// - Parameters:
    ///   - now: the loop's time, for the entry's lifetime.
    ///   - time: in milliseconds since 1970.
    /// - Returns: `nil` if there is none, it was purged, it cannot be read, or Redis does not say in time.
    package func entry(_ key: CacheKey, now: Instant, time: Int) async -> CacheEntry? {
        guard client.isAvailable else { return nil }
        var command = RedisCommand("GET", reserving: 160)
        appendName(key, to: &command)
        guard let reply = try? await client.call(command), let bytes = reply.bytes else { return nil }
        return decode(bytes, key, now, time)
    }

    /// The same, and if there is nothing, says to other processes that this one asks.
    ///
    /// - Parameters:
    ///   - token: what nobody else would choose.
    ///   - lease: after which the lock is gone whatever became of the process.
    package func find(
        _ key: CacheKey, token: Int, lease: Duration, now: Instant, time: Int
    ) async -> Finding {
        guard client.isAvailable else { return .none(.unavailable) }
        if !client.supportsScripts {
            if let entry = await entry(key, now: now, time: time) { return .entry(entry) }
            return .none(await lock(key, token: token, lease: lease))
        }
        var command = RedisCommand(Self.find, keyCount: 2, reserving: 384)
        appendName(key, to: &command)
        appendLockName(key, to: &command)
        command.append(token)
        command.append(Int(lease.nanoseconds / 1_000_000))
        do throws(RedisUnavailable) {
            switch try await client.run(command) {
            case .bytes(let bytes):
                if let entry = decode(bytes, key, now, time) { return .entry(entry) }
                // It was purged, or is nobody's to read: in its place comes another one.
                return .none(await lock(key, token: token, lease: lease))
            case .integer(1): return .none(.locked(Lock(key: key, token: token)))
            case .integer: return .none(.taken)
            default: return .none(.unavailable)
            }
        } catch {
            return .none(error.reason == .timedOut ? .unsure(Lock(key: key, token: token)) : .unavailable)
        }
    }

    private func decode(_ bytes: [UInt8], _ key: CacheKey, _ now: Instant, _ time: Int) -> CacheEntry? {
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
    ///
    /// - Parameter lock: is given back with it.
    package func store(_ entry: CacheEntry, for key: CacheKey, now: Instant, time: Int, releasing lock: Lock? = nil) {
        guard client.isAvailable else { return }
        let rest = entry.lifetime.whole - entry.lifetime.age(at: now)
        let milliseconds = Int(rest.nanoseconds / 1_000_000)
        if milliseconds <= 0 {
            if let lock { unlock(lock) }
            return
        }
        let byteCount = codec.byteCount(of: entry)
        let lock = client.supportsScripts ? lock : nil
        var command =
            lock == nil
            ? RedisCommand("SET", reserving: byteCount + 192)
            : RedisCommand(Self.store, keyCount: 2, reserving: byteCount + 384)
        appendName(key, to: &command)
        if let lock {
            appendLockName(lock.key, to: &command)
            command.append(lock.token)
        }
        if codec.knowsByteCount {
            command.append(byteCount) { codec.encode(entry, for: key, now: now, time: time, into: $0) }
        } else {
            command.append(codec.encode(entry, for: key, now: now, time: time).span)
        }
        if lock == nil { command.append("PX") }
        command.append(milliseconds)
        client.post(command)
    }

    // MARK: Who asks

    /// Says to other processes that this one asks, whatever is kept.
    package func lock(_ key: CacheKey, token: Int, lease: Duration) async -> Locking {
        guard client.isAvailable else { return .unavailable }
        var command = RedisCommand("SET", reserving: 224)
        appendLockName(key, to: &command)
        command.append(token)
        command.append("NX")
        command.append("PX")
        command.append(Int(lease.nanoseconds / 1_000_000))
        let lock = Lock(key: key, token: token)
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
        var command = RedisCommand(Self.extend, keyCount: 1)
        appendLockName(lock.key, to: &command)
        command.append(lock.token)
        command.append(Int(lease.nanoseconds / 1_000_000))
        client.post(command)
    }

    /// Nobody waits for it. Where scripts are forbidden the lock ends by itself.
    package func unlock(_ lock: Lock) {
        guard client.supportsScripts, client.isAvailable else { return }
        var command = RedisCommand(Self.unlock, keyCount: 1)
        appendLockName(lock.key, to: &command)
        command.append(lock.token)
        client.post(command)
    }
}
