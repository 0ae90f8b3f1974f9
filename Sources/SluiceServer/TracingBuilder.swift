internal import SluiceConfig
internal import SluicePipeline

/// What the configuration says of traces, for the workers.
enum TracingBuilder {
    /// - Returns: `nil` if nobody traces.
    static func settings(_ telemetry: TelemetryConfiguration?) -> TraceSettings? {
        guard let traces = telemetry?.traces else { return nil }
        var settings = TraceSettings()
        settings.ratio = traces.ratio
        settings.followsParents = traces.followsParents
        settings.keepsErrors = traces.keepsErrors
        settings.propagates = traces.propagates
        settings.tellsApplications = traces.showsInReplies
        settings.isExporting = telemetry?.otlp?.signals.contains(.traces) == true
        settings.bodies = traces.bodies
        settings.bodyByteCountMax = traces.bodyByteCountMax
        return settings
    }
}
