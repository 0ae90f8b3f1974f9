package import SluiceCore
internal import SluiceNet
package import SluicePolicy

/// The second level: answers in Redis, shared by all processes. Whatever Redis does not do in time has not happened.
package final class RedisCache {
    /// What tells other processes that this one asks.
    package struct Lock: Sendable {
        fileprivate let key: CacheKey
        fileprivate let token: LockToken
    }

    /// What a lock is marked with: the process that holds it, and what tells this lock from its others.
    package struct LockToken: Sendable {
        private let process: UInt64
        private let number: UInt64
        fileprivate static let byteCount = 32

        package init(process: UInt64, number: UInt64) {
            self.process = process
            self.number = number
        }

        /// Sixteen hexadecimal digits each.
        fileprivate func append(to buffer: ByteBuffer) {
            buffer.append(hexadecimal: process)
            buffer.append(hexadecimal: number)
        }
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
    let cache: ResponseCache
    /// What stands before the key in the name of an entry. What is between the braces decides which node of a cluster has it: the same
    /// for an entry and its lock, so that both can be seen in one step.
    private let nameStart: [UInt8]
    /// What is kept, or the lock that says who asks for it, in one step. A lock of the same process is one that it could not give
    /// back, as Redis did not hear it in time: in a process one asks at a time, and that one is here.
    private static let find = RedisScript(
        """
        local kept = redis.call('get', KEYS[1])
        if kept then return kept end
        if redis.call('set', KEYS[2], ARGV[1], 'nx', 'px', ARGV[2]) then return 1 end
        local holder = redis.call('get', KEYS[2])
        if holder and string.sub(holder, 1, 16) ~= string.sub(ARGV[1], 1, 16) then return 0 end
        redis.call('set', KEYS[2], ARGV[1], 'px', ARGV[2])
        return 1
        """)
    /// The lock alone.
    private static let lock = RedisScript(
        """
        if redis.call('set', KEYS[1], ARGV[1], 'nx', 'px', ARGV[2]) then return 1 end
        local holder = redis.call('get', KEYS[1])
        if holder and string.sub(holder, 1, 16) ~= string.sub(ARGV[1], 1, 16) then return 0 end
        redis.call('set', KEYS[1], ARGV[1], 'px', ARGV[2])
        return 1
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
        self.cache = cache
        nameStart = Array((client.settings.prefix + space.rawValue + "{").utf8)
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

    private func append(_ token: LockToken, to command: inout RedisCommand) {
        command.append(LockToken.byteCount) { token.append(to: $0) }
    }

    private var nameByteCount: Int { nameStart.count + CacheKey.textByteCount + 1 }

    private func appendName(_ key: CacheKey, to buffer: ByteBuffer) {
        let nameStart = nameStart
        buffer.append(nameStart.span)
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
    ///   - lease: after which the lock is gone whatever became of the process.
    package func find(
        _ key: CacheKey, token: LockToken, lease: Duration, now: Instant, time: Int
    ) async -> Finding {
        guard client.isAvailable else { return .none(.unavailable) }
        if !client.supportsScripts {
            if let entry = await entry(key, now: now, time: time) { return .entry(entry) }
            return .none(await lock(key, token: token, lease: lease))
        }
        var command = RedisCommand(Self.find, keyCount: 2, reserving: 384)
        appendName(key, to: &command)
        appendLockName(key, to: &command)
        append(token, to: &command)
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
            append(lock.token, to: &command)
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
    package func lock(_ key: CacheKey, token: LockToken, lease: Duration) async -> Locking {
        guard client.isAvailable else { return .unavailable }
        let lock = Lock(key: key, token: token)
        do throws(RedisUnavailable) {
            let reply = client.supportsScripts
                ? try await client.run(locking(lock, lease: lease)) : try await client.call(plainLocking(lock, lease: lease))
            return switch reply {
            case .status, .integer(1): .locked(lock)
            case .null, .integer: .taken
            default: .unavailable
            }
        } catch {
            return error.reason == .timedOut ? .unsure(lock) : .unavailable
        }
    }

    private func locking(_ lock: Lock, lease: Duration) -> RedisCommand {
        var command = RedisCommand(Self.lock, keyCount: 1, reserving: 256)
        appendLockName(lock.key, to: &command)
        append(lock.token, to: &command)
        command.append(Int(lease.nanoseconds / 1_000_000))
        return command
    }

    /// Where scripts are forbidden.
    private func plainLocking(_ lock: Lock, lease: Duration) -> RedisCommand {
        var command = RedisCommand("SET", reserving: 256)
        appendLockName(lock.key, to: &command)
        append(lock.token, to: &command)
        command.append("NX")
        command.append("PX")
        command.append(Int(lease.nanoseconds / 1_000_000))
        return command
    }

    /// Has the lock live for so long from now. Nobody waits for it.
    package func extend(_ lock: Lock, lease: Duration) {
        if !client.supportsScripts || !client.isAvailable { return }
        var command = RedisCommand(Self.extend, keyCount: 1)
        appendLockName(lock.key, to: &command)
        append(lock.token, to: &command)
        command.append(Int(lease.nanoseconds / 1_000_000))
        client.post(command)
    }

    /// Nobody waits for it. Where scripts are forbidden the lock ends by itself.
    package func unlock(_ lock: Lock) {
        guard client.supportsScripts, client.isAvailable else { return }
        var command = RedisCommand(Self.unlock, keyCount: 1)
        appendLockName(lock.key, to: &command)
        append(lock.token, to: &command)
        client.post(command)
    }
}
