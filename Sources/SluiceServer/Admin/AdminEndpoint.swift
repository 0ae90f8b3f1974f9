internal import SluiceConfig
internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet
internal import SluicePipeline
internal import SluicePolicy
internal import SluiceStorage

/// Health, and how providers are, on a port and a thread of its own: it answers when every worker is busy.
final class AdminEndpoint {
    let address: SocketAddress
    private let registry: ConnectionRegistry
    private var listener: Listener?

    /// Connections of the admin port are counted apart: the limit on the others does not lock the operator out.
    private static let connectionsMax = 256

    /// - Parameter more: routes of those who need more than `shared`.
    init(
        _ configured: ListenAddress, on loop: EventLoop, shared: Shared, sockets: ListeningSockets,
        more: [any AdminRoute] = []
    ) throws {
        guard let wanted = SocketAddress("\(configured)") else {
            throw ListeningSockets.Unusable(address: "\(configured)", reason: "it cannot be read")
        }
        let routes: [any AdminRoute] = [
            ProvidersEndpoint(on: loop, shared: shared), TargetsEndpoint(shared: shared),
            LimitsEndpoint(shared: shared), CacheEndpoint(shared: shared), RedisEndpoint(shared),
            TelemetryEndpoint(shared.telemetry),
            QueuesEndpoint(shared), MetricsEndpoint(shared: shared), IdentityEndpoint(shared),
        ] + more
        registry = ConnectionRegistry(
            loop: loop, configuration: DownstreamConfiguration(), count: ConnectionCount(max: Self.connectionsMax),
            protocolError: { _ in }, handler: { exchange in Self.answer(exchange, shared, routes) })
        let fd = try sockets.adminSocket(wanted)
        address = wanted.isUnix ? wanted : Socket.localAddress(fd) ?? wanted
        listener = try Listener(fd: fd, address: address, certificates: nil, registry: registry)
    }

    /// Stops answering: a successor does it from here on.
    func close() {
        listener?.close(keepsOpen: true)
        listener = nil
        registry.closeAll()
    }

    private static func answer(
        _ exchange: DownstreamExchange, _ shared: Shared, _ routes: [any AdminRoute]
    ) {
        if isHealth(exchange.head) { return health(exchange, shared) }
        AdminGate(shared: shared).admit(exchange) { principal in
            for route in routes where route.answer(exchange, as: principal) { return }
            if isManagement(exchange, shared) { return manage(exchange, shared, principal) }
            let names = routes.map(\.name).joined(separator: ", ")
            send(404, #"{"error":"There is /health, /livez, /readyz, \#(names) here."}"#, to: exchange)
        }
    }

    private static func isManagement(_ exchange: DownstreamExchange, _ shared: Shared) -> Bool {
        let head = exchange.head
        guard let target = try? RequestTarget(head.target) else { return false }
        return shared.management.route(of: target) != nil
    }

    private static func manage(_ exchange: DownstreamExchange, _ shared: Shared, _ principal: Principal) {
        exchange.loop.spawn {
            _ = await shared.management.answer(
                ManagementCall(exchange: exchange, requestID: "", principal: principal))
        }
    }

    private static func isHealth(_ head: borrowing RequestHead) -> Bool {
        let path = head.path
        return path.equals("/health") || path.equals("/healthz") || path.equals("/livez") || path.equals("/readyz")
    }

    /// Orchestrators ask it, who have no credential: it is for everybody, but for what the process has on its hands.
    private static func health(_ exchange: DownstreamExchange, _ shared: Shared) {
        let head = exchange.head
        let path = head.path
        let isReady = !path.equals("/readyz") || shared.status.isReady
        let isForOperators = exchange.peer.trust == .machine
        read(exchange) {
            var load = HealthReport.Load(
                inFlight: shared.gauge.inFlight, connections: shared.connections.current,
                redis: shared.lasting.redis.overall.rawValue)
            let audit = shared.lasting.audit.snapshot
            if audit.isOn { load.audit = audit.failure == nil ? "ok" : "failing" }
            load.recordsStopped = shared.lasting.records.snapshot.stopped
            return (isReady ? 200 : 503, HealthReport.body(shared.status, load: isForOperators ? load : nil))
        }
    }

    /// A part of a path with what `%XX` stands for; a `%` without two hex digits is itself.
    static func decoded(_ text: Substring) -> String {
        let bytes = Array(text.utf8)
        var decoded: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "%"), bytes.count - at >= 3, let high = bytes[at + 1].hexDigitValue,
                let low = bytes[at + 2].hexDigitValue
            {
                decoded.append(UInt8(truncatingIfNeeded: high << 4 | low))
                at += 3
            } else {
                decoded.append(bytes[at])
                at += 1
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    /// Answers a request that changes nothing, or refuses any other.
    static func read(_ exchange: DownstreamExchange, _ report: () -> (Status, ByteBuffer)) {
        let method = exchange.head.method
        guard method == .get || method == .head else { return refuse(exchange, allowed: "GET, HEAD") }
        let (status, body) = report()
        send(status, body, to: exchange)
    }

    static func refuse(_ exchange: DownstreamExchange, allowed: StaticString) {
        var fields = HeaderFields()
        fields.append(lowercaseName: "allow", "\(allowed)")
        send(405, #"{"error":"Use \#(allowed)."}"#, fields, to: exchange)
    }

    static func send(
        _ status: Status, _ text: String, _ fields: HeaderFields = HeaderFields(), to exchange: DownstreamExchange
    ) {
        send(status, ByteBuffer(text), fields, to: exchange)
    }

    static func send(
        _ status: Status, _ body: ByteBuffer, _ fields: HeaderFields = HeaderFields(), to exchange: DownstreamExchange
    ) {
        var fields = fields
        fields.append(.contentType, "application/json")
        exchange.sendHead(ResponseHead(status, fields: fields), body: .known(body.count))
        exchange.send(sharing: body)
        exchange.finish()
    }
}
