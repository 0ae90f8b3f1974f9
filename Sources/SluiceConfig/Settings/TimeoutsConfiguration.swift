/// How long anything may take. A day is the longest of all, so that every wait ends.
package struct TimeoutsConfiguration: Sendable, Equatable {
    /// The TLS handshake, and then each request head from its first byte to its last, however it drips. 100 ms to
    /// 10 min; 408.
    package var head = Duration.seconds(10)
    /// Between two reads of a request body. 100 ms to 10 min; 408.
    package var bodyStall = Duration.seconds(30)
    /// A request body as a whole: a body that drips within `bodyStall` ends here. 1 s to a day; 408.
    package var bodyTotal = Duration.seconds(300)
    /// A downstream connection without a request. 1 s to a day. Longer than the 60 s for which load balancers keep
    /// theirs, or they would send requests into connections that are being closed.
    package var idle = Duration.seconds(75)
    /// Reaching a provider, TLS included, over all of its addresses. 10 ms to 1 min; 504.
    package var connect = Duration.seconds(3)
    /// From the end of the request to the response head. 100 ms to a day; 504. Unstreamed answers of reasoning models
    /// begin only when they are finished: minutes are normal.
    package var firstByte = Duration.seconds(300)
    /// From the end of the request to the first content of a stream. 100 ms to a day; 504. As long as `firstByte`: some
    /// models think first, and show nothing of it.
    package var firstToken = Duration.seconds(300)
    /// A stream without a byte from the provider. 1 s to a day; ends in an error event.
    package var streamIdle = Duration.seconds(120)
    /// Between two events of a stream that say something, however often the provider shows that it is alive. 0 (never) to
    /// a day; ends in an error event.
    package var streamGap = Duration.seconds(300)
    /// An application that takes nothing of what waits for it. 1 s to a day; its connection is closed.
    package var downstreamStall = Duration.seconds(60)
    /// An exchange with all its attempts. 1 s to a day; 504, or an error event. The OpenAI SDKs give up after
    /// 10 min as well.
    package var total = Duration.seconds(600)
    /// Silence of a stream after which a comment is sent, so that nothing in between takes it for dead. 0 (never) to
    /// 10 min.
    package var keepaliveComment = Duration.seconds(15)

    package init() {}

    private static let dayMilliseconds = 86_400_000

    package static func read(_ section: ConfigSection) -> Self {
        var timeouts = Self()
        timeouts.readDownstream(section)
        timeouts.readUpstream(section)
        return timeouts
    }

    private mutating func readDownstream(_ section: ConfigSection) {
        let day = Self.dayMilliseconds
        head = section.duration(
            "head_ms", default: head, in: 100...600_000,
            doc: "The TLS handshake, and then each request head from its first byte to its last. 408 after it.")
        bodyStall = section.duration(
            "body_stall_ms", default: bodyStall, in: 100...600_000,
            doc: "Between two reads of a request body. 408 after it.")
        bodyTotal = section.duration(
            "body_total_ms", default: bodyTotal, in: 1000...day, doc: "A request body as a whole. 408 after it.")
        idle = section.duration(
            "idle_ms", default: idle, in: 1000...day,
            doc: "A downstream connection without a request. Keep it longer than what stands in front.")
        downstreamStall = section.duration(
            "downstream_stall_ms", default: downstreamStall, in: 1000...day,
            doc: "An application that takes nothing of what waits for it. Its connection is closed.")
        keepaliveComment = section.duration(
            "keepalive_comment_ms", default: keepaliveComment, in: 0...600_000,
            doc: "Silence of a stream after which a comment is sent, so that nothing takes it for dead. 0: never.")
    }

    private mutating func readUpstream(_ section: ConfigSection) {
        let day = Self.dayMilliseconds
        connect = section.duration(
            "connect_ms", default: connect, in: 10...60_000,
            doc: "Reaching a provider, TLS included, over all of its addresses. 504 after it.")
        firstByte = section.duration(
            "first_byte_ms", default: firstByte, in: 100...day,
            doc: "From the end of the request to the response head. An unstreamed answer begins when it is finished.")
        firstToken = section.duration(
            "first_token_ms", default: firstToken, in: 100...day,
            doc: "From the end of the request to the first content of a stream. 504 after it.")
        streamIdle = section.duration(
            "stream_idle_ms", default: streamIdle, in: 1000...day,
            doc: "A stream without a byte from the provider. It ends in an error event.")
        streamGap = section.duration(
            "stream_gap_ms", default: streamGap, in: 0...day,
            doc:
                "Between two events of a stream that say something, however many comments and pings come in between. It ends in an error event. 0: for ever."
        )
        total = section.duration(
            "total_ms", default: total, in: 1000...day,
            doc: "An exchange with all its attempts. 504, or an error event if the answer has begun.")
    }
}
