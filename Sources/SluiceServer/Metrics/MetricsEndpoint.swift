internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluicePipeline

/// `/metrics` of the admin port: everything that is counted, in the format that is asked for.
final class MetricsEndpoint: AdminRoute {
    let name = "/metrics"
    private let registry: MetricRegistry
    /// What the last answer took: the next one asks for memory once.
    private var byteCount = 16_384

    init(shared: Shared) { registry = shared.lasting.metrics.registry }

    func answer(_ exchange: DownstreamExchange) -> Bool {
        let head = exchange.head
        if !head.path.equals("/metrics") { return false }
        guard head.method == .get || head.method == .head else {
            AdminEndpoint.refuse(exchange, allowed: "GET, HEAD")
            return true
        }
        let format = Self.format(head.fields)
        let buffer = ByteBuffer(capacity: byteCount + byteCount / 8)
        MetricText.write(registry.collect(), as: format, into: buffer)
        byteCount = buffer.count
        var fields = HeaderFields()
        fields.append(.contentType, format.mediaType)
        exchange.sendHead(ResponseHead(200, fields: fields), body: .known(buffer.count))
        exchange.send(sharing: buffer)
        exchange.finish()
        return true
    }

    /// OpenMetrics for those who name it, as Prometheus does; the older format for all others.
    private static func format(_ fields: HeaderFields) -> MetricText.Format {
        guard let index = fields.index(of: .accept) else { return .prometheus }
        return String(decoding: fields.value(at: index)).lowercased().contains("application/openmetrics-text")
            ? .openMetrics : .prometheus
    }
}
