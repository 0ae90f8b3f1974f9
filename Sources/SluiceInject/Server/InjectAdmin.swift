internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet

/// Health and metrics of the injector, for the kubelet and for Prometheus.
final class InjectAdmin {
    let address: SocketAddress
    private let registry: ConnectionRegistry
    private var listener: Listener?
    private static let connectionsMax = 64

    init(_ wanted: SocketAddress, on loop: EventLoop, _ metrics: InjectMetrics) throws(SystemError) {
        registry = ConnectionRegistry(
            loop: loop, configuration: DownstreamConfiguration(), count: ConnectionCount(max: Self.connectionsMax),
            protocolError: { _ in }, handler: { exchange in Self.answer(exchange, metrics) })
        let fd = try Socket.listen(on: wanted, isShared: false)
        address = wanted.isUnix ? wanted : Socket.localAddress(fd) ?? wanted
        listener = try Listener(fd: fd, address: address, certificates: nil, registry: registry)
    }

    private static func answer(_ exchange: DownstreamExchange, _ metrics: InjectMetrics) {
        let head = exchange.head
        guard head.method == .get || head.method == .head else {
            return send(exchange, 405, "application/json", ByteBuffer(#"{"error":"Use GET, HEAD."}"#))
        }
        if head.path.equals("/metrics") {
            let buffer = ByteBuffer(capacity: 8192)
            MetricText.write(metrics.registry.collect(), as: .prometheus, into: buffer)
            return send(exchange, 200, MetricText.Format.prometheus.mediaType, buffer)
        }
        let isLive = head.path.equals("/livez") || head.path.equals("/healthz") || head.path.equals("/health")
        if isLive || head.path.equals("/readyz") {
            let isWell = isLive || metrics.isReady
            let text = isWell ? #"{"status":"ok"}"# : #"{"status":"not ready"}"#
            return send(exchange, isWell ? 200 : 503, "application/json", ByteBuffer(text))
        }
        send(exchange, 404, "application/json", ByteBuffer(#"{"error":"There is /healthz, /livez, /readyz, /metrics here."}"#))
    }

    private static func send(
        _ exchange: DownstreamExchange, _ status: Status, _ type: String, _ body: ByteBuffer
    ) {
        var fields = HeaderFields()
        fields.append(.contentType, type)
        exchange.sendHead(ResponseHead(status, fields: fields), body: .known(body.count))
        exchange.send(sharing: body)
        exchange.finish()
    }
}
