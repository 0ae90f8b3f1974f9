internal import SluiceNet

/// Why a provider's endpoint gave no complete answer, and whether the same request may safely be sent again.
package struct UpstreamError: Error, Sendable, Equatable {
    package enum Reason: Sendable, Equatable {
        /// The name could not be resolved.
        case name
        /// No connection could be opened.
        case connect
        /// No connection within its time.
        case connectTimeout
        /// The egress proxy refused the tunnel.
        case proxy
        /// TLS failed: nothing of the request was sent.
        case tls
        /// All connections are in use and the queue is full or the wait was too long.
        case poolExhausted
        /// The connection broke before the response's head was complete.
        case closedBeforeHead
        /// The connection broke within the response.
        case closedInBody
        /// What came is not HTTP.
        case malformed
        /// No head within its time.
        case headTimeout
        /// Nothing more came for too long.
        case idleTimeout
        /// The exchange's whole time is over.
        case totalTimeout
        /// The provider reported, in its own words, that it failed.
        case reported
        /// No token was given for our credentials.
        case token
        /// Its token endpoint does not accept our credentials.
        case tokenRefused
        /// The response is longer than its limit.
        case tooLarge
        /// The process ends.
        case shutdown
        /// The application has gone, or gave no complete request.
        case cancelled
    }

    package let reason: Reason
    /// What happened, with names and numbers, for people.
    package let detail: String
    /// Surely nothing of the request was processed: it may be sent again even if it is not idempotent.
    package let isUnprocessed: Bool

    package init(_ reason: Reason, _ detail: String, isUnprocessed: Bool = false) {
        self.reason = reason
        self.detail = detail
        self.isUnprocessed = isUnprocessed
    }
}

extension TransportError {
    /// What it means for a request without a response yet. Under TLS 1.3 a server says only after the handshake that it does not
    /// accept our certificate, or wants one.
    var reasonBeforeHead: UpstreamError.Reason { if case .tls = self { .tls } else { .closedBeforeHead } }
}
