internal import SluiceCore
internal import SluiceNet

/// One question on a connection of its own, for what concerns no single request: where the master is, who has which slots.
enum RedisQuery {
    /// - Returns: the reply, which is no error.
    /// - Throws: when there is none within the time for a connection.
    static func ask(
        _ address: RedisAddress, _ command: RedisCommand, as credentials: RedisSettings.Credentials?,
        _ surroundings: RedisSurroundings
    ) async throws(RedisUnavailable) -> RedisReply {
        let settings = surroundings.settings
        let deadline = surroundings.loop.now + settings.connect
        let connection = try await open(address, as: credentials, by: deadline, surroundings) { _ in }
        defer { connection.close() }
        let rest = max(.milliseconds(1), deadline - surroundings.loop.now)
        let reply = try await connection.call(command, within: rest)
        try RedisSetup.require(reply)
        return reply
    }

    /// Opens a connection that counts for no server's health, and says who we are.
    static func open(
        _ address: RedisAddress, as credentials: RedisSettings.Credentials?, by deadline: Instant,
        _ surroundings: RedisSurroundings, onEnd: @escaping (String) -> Void
    ) async throws(RedisUnavailable) -> RedisConnection {
        let transport = try await RedisDial.open(
            address, tls: surroundings.settings.tls, by: deadline, on: surroundings.loop,
            resolver: surroundings.resolver)
        let connection = RedisConnection(transport, node: nil, surroundings.settings, onEnd: onEnd)
        guard let credentials else { return connection }
        do throws(RedisUnavailable) {
            let rest = max(.milliseconds(1), deadline - surroundings.loop.now)
            try RedisSetup.requireAccess(
                try await connection.call(RedisSetup.authentication(credentials), within: rest))
            return connection
        } catch {
            connection.close()
            throw error
        }
    }
}
