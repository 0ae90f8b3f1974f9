internal import SluiceConfig
internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluicePipeline

/// `/metrics` of the admin port: everything that is counted, in the format that is asked for.
final class MetricsEndpoint: AdminRoute {
    let name = "/metrics"
    private unowned let shared: Shared
    /// What the last answer took: the next one asks for memory once.
    private var byteCount = 16_384

    init(shared: Shared) { self.shared = shared }

    func answer(_ exchange: DownstreamExchange) -> Bool {
        let head = exchange.head
        if !head.path.equals("/metrics") { return false }
        guard head.method == .get || head.method == .head else {
            AdminEndpoint.refuse(exchange, allowed: "GET, HEAD")
            return true
        }
        let format = Self.format(head.fields)
        let buffer = ByteBuffer(capacity: byteCount + byteCount / 8)
        var collection = shared.lasting.metrics.registry.collect()
        if shared.current.aliases.contains(.liteLLM) { LiteLLMMetrics.add(to: &collection) }
        MetricText.write(collection, as: format, into: buffer)
        byteCount = buffer.count
        var fields = HeaderFields()
        fields.append(.contentType, format.mediaType)
        exchange.sendHead(ResponseHead(200, fields: fields), body: .known(buffer.count))
        exchange.send(sharing: buffer)
        exchange.finish()
        return true
    }

    private static func format(_ fields: HeaderFields) -> MetricText.Format {
        var values: [String] = []
        var from = 0
        while let index = fields.index(of: .accept, from: from) {
            values.append(String(decoding: fields.value(at: index)))
            from = index + 1
        }
        return .preferred(by: values.joined(separator: ","))
    }
}
