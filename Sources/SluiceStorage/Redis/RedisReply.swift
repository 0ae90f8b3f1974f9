/// What Redis answers to one command (RESP2, redis.io/docs/reference/protocol-spec).
package indirect enum RedisReply: Sendable, Equatable {
    /// `+OK` and the like.
    case status(String)
    /// `-ERR …`: the whole line without its sign.
    case error(String)
    case integer(Int)
    case bytes([UInt8])
    case null
    case array([RedisReply])
}
