internal import SluiceConfig
internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet
internal import SluicePipeline
internal import SluiceStorage

/// Health, and how providers are, on a port and a thread of its own: it answers when every worker is busy.
final class AdminEndpoint {
    let address: SocketAddress
    private let registry: ConnectionRegistry
    private var listener: Listener?

    /// Connections of the admin port are counted apart: the limit on the others does not lock the operator out.
    private static let connectionsMax = 256

    init(_ configured: ListenAddress, on loop: EventLoop, shared: Shared, sockets: ListeningSockets) throws {
        guard let wanted = SocketAddress("\(configured)") else {
            throw ListeningSockets.Unusable(address: "\(configured)", reason: "it cannot be read")
        }
        let routes: [any AdminRoute] = [
            ProvidersEndpoint(on: loop, shared: shared), TargetsEndpoint(shared: shared),
            LimitsEndpoint(shared: shared), CacheEndpoint(shared: shared), RedisEndpoint(shared),
            QueuesEndpoint(shared), MetricsEndpoint(shared: shared),
        ]
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
        for route in routes where route.answer(exchange) { return }
        if let target = try? RequestTarget(exchange.head.target), shared.management.route(of: target) != nil {
            return exchange.loop.spawn {
                _ = await shared.management.answer(
                    ManagementCall(exchange: exchange, requestID: "", principal: .local))
            }
        }
        let head = exchange.head
        let path = head.path
        let isKnown =
            path.equals("/health") || path.equals("/healthz") || path.equals("/livez") || path.equals("/readyz")
        guard isKnown else {
            let names = routes.map(\.name).joined(separator: ", ")
            return send(404, #"{"error":"There is /health, /livez, /readyz, \#(names) here."}"#, to: exchange)
        }
        let isReady = !path.equals("/readyz") || shared.status.isReady
        read(exchange) {
            let load = HealthReport.Load(
                inFlight: shared.gauge.inFlight, connections: shared.connections.current,
                redis: shared.lasting.redis.overall.rawValue)
            return (isReady ? 200 : 503, HealthReport.body(shared.status, load: load))
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
        send(405, ByteBuffer(#"{"error":"Use \#(allowed)."}"#), [(name: "allow", value: allowed)], to: exchange)
    }

    static func send(_ status: Status, _ text: String, to exchange: DownstreamExchange) {
        send(status, ByteBuffer(text), to: exchange)
    }

    static func send(
        _ status: Status, _ body: ByteBuffer, _ more: [(name: StaticString, value: StaticString)] = [],
        to exchange: DownstreamExchange
    ) {
        var fields = HeaderFields()
        fields.append(.contentType, "application/json")
        for field in more { fields.append(lowercaseName: field.name, "\(field.value)") }
        exchange.sendHead(ResponseHead(status, fields: fields), body: .known(body.count))
        exchange.send(sharing: body)
        exchange.finish()
    }
}
