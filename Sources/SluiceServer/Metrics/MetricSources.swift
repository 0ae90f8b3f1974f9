internal import SluiceCore
internal import SluicePipeline

/// Everything that a scrape tells of, beside what exchanges count.
enum MetricSources {
    static func register(_ shared: Shared) {
        ProcessMetrics.register(shared)
        TrafficMetrics.register(shared)
        StorageMetrics.register(shared)
        RecordMetrics.register(shared)
        TelemetryMetrics.register(shared)
    }

    /// All families there are, by name.
    static var families: [MetricFamily] {
        let families =
            GatewayMetrics().registry.families + ProcessMetrics.families + TrafficMetrics.families + StorageMetrics.families
            + RecordMetrics.families + CertificateMetrics.families + TelemetryMetrics.families
        return families.sorted { $0.name < $1.name }
    }

    /// Those of which the name begins like this, as a table for the documentation.
    static func markdown(_ prefix: String) -> String {
        var text = "| name | type | labels | meaning |\n| --- | --- | --- | --- |\n"
        for family in families where family.name.hasPrefix(prefix) {
            let labels = family.labels.map { "`\($0)`" }.joined(separator: ", ")
            let type =
                switch family.kind {
                case .counter: "counter"
                case .gauge: "gauge"
                case .histogram(let scale): "histogram: " + scale.texts.map(short).joined(separator: ", ")
                }
            let unit = family.unit.map { ", \($0)" } ?? ""
            text += "| `\(family.name)\(family.isCounter ? "_total" : "")` | \(type)\(unit) | \(labels) | \(family.help) |\n"
        }
        return text
    }

    private static func short(_ bound: String) -> String { bound.hasSuffix(".0") ? String(bound.dropLast(2)) : bound }
}
