/// What becomes of metrics, beside being there to be scraped at `/metrics` of the admin port.
package struct MetricsConfiguration: Sendable, Equatable {
    /// Others whose names metrics are told under, too.
    package enum Alias: String, Sendable, CaseIterable {
        case liteLLM = "litellm"
        /// Its names are those that metrics have anyway.
        case envoyAIGateway = "envoy_ai_gateway"
    }

    package var aliases: [Alias] = []
    package var push: [MetricsPushConfiguration] = []

    package init() {}

    package static func read(_ section: ConfigSection) -> Self {
        var metrics = Self()
        metrics.aliases = section.values(
            "aliases", .choice(), default: [],
            doc:
                "Others under whose names a scrape gets the same metrics once more, for dashboards that are there already. `envoy_ai_gateway`: nothing more, as its names are the ones used anyway.")
        metrics.push = section.list(
            "push", count: 0...16, doc: "Who is sent all metrics again and again.", MetricsPushConfiguration.read)
        TelemetryReceiverConfiguration.check(metrics.push.map(\.receiver), "push", section)
        return metrics
    }
}
