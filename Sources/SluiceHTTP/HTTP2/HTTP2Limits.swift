/// What one HTTP/2 connection may cost us. The initial values are the defaults of a downstream connection.
package struct HTTP2Limits: Sendable {
    /// Streams that the peer may have open at once; over it the stream is refused, or the connection is cut.
    /// 1 to 2^31 - 1.
    package var concurrentStreams = 100
    /// What one stream may send before we have consumed any of it, in bytes. 1 to 2^31 - 1.
    package var streamWindowByteCount = 65_536
    /// The same for all streams together, in bytes. 65,535 to 2^31 - 1.
    package var connectionWindowByteCount = 1_048_576

    /// A decoded header list, counted as RFC 9113 §6.5.2 does. Over it the message is refused; over four times as much,
    /// the connection is cut.
    package var headerListByteCount = 65_536
    /// Fields of one message, pseudo-header fields and every cookie crumb counted. Same consequences.
    package var headerFieldCount = 200
    /// A request target, in bytes: 414 over it.
    package var targetByteCount = 16_384
    /// CONTINUATION frames of one header block.
    package var continuationFrameCount = 8
    /// The HPACK table that the peer may make us keep, in bytes (RFC 7541 §4.2).
    package var decoderTableByteCount = 4_096
    /// The HPACK table that we keep for what we send, in bytes, if the peer allows as much.
    package var encoderTableByteCount = 4_096

    /// Streams that end before their answer, by the peer's doing, in any one second.
    package var prematureResetsPerSecond = 200
    /// The same over the connection's life, less one for each stream that was answered.
    package var prematureResetCount = 500
    /// A reset is premature when the stream is younger than this.
    package var prematureAge = Duration.seconds(1)

    /// Frames that make work and do none, less what is forgiven.
    package var glitchCount = 1_000
    /// Glitches forgiven with time: what a connection may do for ever. 1 to 1,000.
    package var glitchesForgivenPerSecond = 10
    /// Control frames waiting to be sent, acknowledgements among them.
    package var queuedFrameCount = 1_000

    /// A stream's outgoing bytes fall to this: its delegate hears `canSendMore`.
    package var outboundLowByteCount = 16_384

    package init() {}

    /// For connections that we open: bigger windows, as the peer is one we chose.
    package static let upstream = {
        var limits = HTTP2Limits()
        limits.streamWindowByteCount = 262_144
        limits.connectionWindowByteCount = 4_194_304
        return limits
    }()
}
