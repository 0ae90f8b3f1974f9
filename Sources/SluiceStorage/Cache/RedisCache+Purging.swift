internal import SluiceCore
internal import SluiceNet
package import SluicePolicy

/// Purging: what one process is told to forget, all of them forget.
extension RedisCache {
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
    ///
    /// - Returns: whether Redis has told.
    package func learnPurges() async -> Bool {
        guard client.isAvailable,
            let reply = try? await client.call(RedisCommand("HGETALL", key: client.key(Self.purgesName))),
            let words = reply.array
        else { return false }
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            guard let target = words[index].text.flatMap(PurgeTarget.init(text:)),
                let time = words[index + 1].text.flatMap(Int.init)
            else { continue }
            cache.purge(target, at: time, now: Self.now)
        }
        return true
    }

    private static var now: Int { Int(EventLoop.readWallClock() / 1_000_000) }
}
