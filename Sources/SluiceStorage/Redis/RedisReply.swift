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

extension RedisReply {
    package var integer: Int? { if case .integer(let number) = self { number } else { nil } }
    package var array: [RedisReply]? { if case .array(let elements) = self { elements } else { nil } }
    package var bytes: [UInt8]? { if case .bytes(let bytes) = self { bytes } else { nil } }
    package var error: String? { if case .error(let line) = self { line } else { nil } }

    /// The text of a bulk string or a status; what is not UTF-8 becomes U+FFFD.
    package var text: String? {
        switch self {
        case .status(let text): text
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .error, .integer, .null, .array: nil
        }
    }

    /// The first word of an error, which says its kind: `OOM`, `READONLY`, `MOVED`.
    package var errorKind: Substring? {
        guard case .error(let line) = self else { return nil }
        return line.prefix { $0 != " " }
    }
}
