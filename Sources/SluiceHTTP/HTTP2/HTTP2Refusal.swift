/// Why a message with a well-formed header block is not passed on.
///
/// A server's delegate answers a refused stream with the status; the session discards what else arrives on it. On a
/// client the stream is reset, and `closed` follows.
package enum HTTP2Refusal: Equatable, Sendable {
    case headersTooLarge
    case targetTooLong
    /// The target is not an absolute path in the characters of RFC 3986, nor `*` of OPTIONS.
    case targetInvalid
    /// `:authority` and `Host` differ, or are no host and port; user information may not stand there (RFC 9113 §8.3.1).
    case authorityInvalid
    /// CONNECT: Sluice is no tunnel.
    case connectMethod

    package var status: Status {
        switch self {
        case .headersTooLarge: 431
        case .targetTooLong: 414
        case .targetInvalid, .authorityInvalid: 400
        case .connectMethod: 405
        }
    }
}
