internal import SluiceDownstream
internal import SluiceHTTP
internal import SluicePolicy

/// What answers some paths of the admin port.
protocol AdminRoute: AnyObject {
    /// The paths, for people: `/providers`.
    var name: String { get }
    /// - Returns: whether the path is one of its own; it is answered then, or will be.
    func answer(_ exchange: DownstreamExchange) -> Bool
    /// The same, for a route that wants to know who asks. He may do what `AdminGate.action` says.
    func answer(_ exchange: DownstreamExchange, as principal: Principal) -> Bool
}

extension AdminRoute {
    func answer(_ exchange: DownstreamExchange, as principal: Principal) -> Bool { answer(exchange) }

    /// Answers a request that a page in the operator's browser has made: it can reach this port too.
    ///
    /// - Returns: whether it was one.
    func refusesPage(_ exchange: DownstreamExchange) -> Bool {
        if !exchange.head.fields.contains(.origin) { return false }
        AdminEndpoint.send(403, #"{"error":"Not for web pages."}"#, to: exchange)
        return true
    }
}
