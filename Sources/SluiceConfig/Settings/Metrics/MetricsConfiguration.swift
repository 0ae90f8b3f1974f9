/// What becomes of metrics, beside being there to be scraped at `/metrics` of the admin port.
package struct MetricsConfiguration: Sendable, Equatable {
    package var push: [MetricsPushConfiguration] = []

    package init() {}

    package static func read(_ section: ConfigSection) -> Self {
        var metrics = Self()
        metrics.push = section.list(
            "push", count: 0...16, doc: "Who is sent all metrics again and again.", MetricsPushConfiguration.read)
        TelemetryReceiverConfiguration.check(metrics.push.map(\.receiver), "push", section)
        return metrics
    }
}
