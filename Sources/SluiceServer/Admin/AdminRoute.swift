internal import SluiceCore
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

    /// Answers a request that changes nothing, or refuses any other.
    func read(_ exchange: DownstreamExchange, _ report: () -> ByteBuffer) {
        AdminEndpoint.read(exchange) { (200, report()) }
    }

    /// Refuses what is no POST, and what a page in the operator's browser has sent: it can reach this port too.
    ///
    /// - Returns: whether the request may change something; else it has been answered.
    func mayChange(_ exchange: DownstreamExchange) -> Bool {
        guard exchange.head.method == .post else {
            AdminEndpoint.refuse(exchange, allowed: "POST")
            return false
        }
        if !exchange.head.fields.contains(.origin) { return true }
        AdminEndpoint.send(403, #"{"error":"Not for web pages."}"#, to: exchange)
        return false
    }
}
