/// Why a command has no reply. Whoever asked goes on without Redis: it is never a reason to fail a request.
package struct RedisUnavailable: Error, Equatable, Sendable {
    package enum Reason: Equatable, Sendable {
        /// There is no connection now; one is being made in the background.
        case notConnected
        /// Redis has been failing and is left alone until a probe succeeds.
        case breakerOpen
        /// No reply within the deadline. The command may have been carried out.
        case timedOut
        /// By us, before anything was sent, or by Redis while the connection was set up.
        case refused(String)
    }

    package let reason: Reason

    package init(_ reason: Reason) { self.reason = reason }

    /// For logs and metrics: one of a closed set.
    package var word: String {
        switch reason {
        case .notConnected: "not_connected"
        case .breakerOpen: "breaker_open"
        case .timedOut: "timeout"
        case .refused: "refused"
        }
    }
}
