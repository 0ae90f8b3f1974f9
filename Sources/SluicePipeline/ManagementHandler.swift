package import SluiceDownstream
package import SluiceHTTP
package import SluicePolicy

/// Answers requests about the gateway itself on the listeners of applications: the management API.
package protocol ManagementHandler: Sendable {
    /// The path as a template, for the log; `nil` if it is not one of its own.
    func route(of target: borrowing RequestTarget) -> StaticString?

    /// Answers an exchange whose path is one of its own, to the end.
    func answer(_ call: ManagementCall) async -> ManagementOutcome
}

/// One request to the management API, and who makes it.
package struct ManagementCall {
    package let exchange: DownstreamExchange
    /// Empty if it has none.
    package let requestID: String
    package let principal: Principal

    package init(exchange: DownstreamExchange, requestID: String, principal: Principal) {
        self.exchange = exchange
        self.requestID = requestID
        self.principal = principal
    }
}

/// How such a request ended, for the log.
package struct ManagementOutcome: Sendable {
    package let status: Status
    /// The error's code and message; `nil` if there was none.
    package let rejection: Rejection?

    package init(status: Status, rejection: Rejection? = nil) {
        self.status = status
        self.rejection = rejection
    }
}
