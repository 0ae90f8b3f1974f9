package import SluiceHTTP

/// What a listener asks of its connections. The initial values are the defaults.
package struct DownstreamConfiguration: Sendable {
    /// Bounds on a request's head.
    package var head = HeadLimits()
    /// A head must be complete so long after its first byte, however it drips.
    package var headTimeout = Duration.seconds(10)
    /// The longest silence within a request's body.
    package var bodyStall = Duration.seconds(30)
    /// A body must be complete so long after its head.
    package var bodyTotal = Duration.seconds(300)
    /// An unused connection is closed after this.
    package var idle = Duration.seconds(75)
    /// An application that takes nothing of its response for this long is given up.
    package var stall = Duration.seconds(60)
    /// What is held for an application that reads slowly, in bytes; above it the source is to stop.
    package var streamBufferByteCount = 65_536
    /// HTTP/2 limits.
    package var http2 = HTTP2Limits()

    package init() {}
}
