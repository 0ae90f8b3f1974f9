/// Why the application's side of an exchange came to an end before its time.
package enum DownstreamFailure: Error, Equatable, Sendable {
    /// The application closed the connection or reset the stream.
    case gone
    /// The body is longer than its limit, in bytes.
    case bodyTooLarge(limit: Int)
    /// The body's framing is wrong.
    case bodyMalformed(String)
    /// The body did not arrive in time.
    case bodyTimeout
    /// The application takes nothing of what it is sent.
    case stalled
}
