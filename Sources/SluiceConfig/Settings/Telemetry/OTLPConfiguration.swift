internal import SluiceCore

/// Where telemetry is sent by OTLP over HTTP, and how much of it at a time.
package struct OTLPConfiguration: Sendable, Equatable {
    package enum Signal: String, Sendable, CaseIterable { case traces, metrics, logs }

    package var receiver = TelemetryReceiverConfiguration()
    /// Default traces and metrics.
    package var signals: Set<Signal> = [.traces, .metrics]
    /// 1 s to 1 h. Default 60 s.
    package var metricsInterval = Duration.seconds(60)
    /// 100 ms to 60 s. Default 5 s.
    package var batchAge = Duration.seconds(5)
    /// 1 to 10000. Default 512.
    package var batchCountMax = 512
    /// 16 KiB to 16 MiB. Default 1 MiB.
    package var batchByteCountMax = 1 << 20

    package init() {}

    static func read(_ section: ConfigSection) -> Self {
        var otlp = Self()
        otlp.receiver = .read(section, name: "otlp", url: readURL)
        otlp.readEnvironment(section)
        for signal in Signal.allCases {
            let isOn = section.boolean(
                signal.rawValue, default: otlp.signals.contains(signal), doc: "Whether \(signal.rawValue) are sent, to `/v1/\(signal.rawValue)`.")
            if isOn { otlp.signals.insert(signal) } else { otlp.signals.remove(signal) }
        }
        otlp.metricsInterval = section.duration(
            "metrics_interval_ms", default: otlp.metricsInterval, in: 1000...3_600_000, doc: "How often metrics are sent.")
        otlp.batchAge = section.duration(
            "batch_age_ms", default: otlp.batchAge, in: 100...60_000,
            doc: "Spans and log lines wait at most so long for others to go with.")
        otlp.batchCountMax = section.integer(
            "batch_count_max", default: otlp.batchCountMax, in: 1...10_000, doc: "Spans or log lines in one message.")
        otlp.batchByteCountMax = section.integer(
            "batch_bytes_max", default: otlp.batchByteCountMax, in: 16_384...16_777_216, doc: "The size of one message, about.")
        return otlp
    }

    private static func readURL(_ section: ConfigSection) -> BaseURL {
        let written = section.optionalURL(
            "url",
            doc:
                "What stands before `/v1/traces`, as `http://otel-collector:4318`. null: the variable `OTEL_EXPORTER_OTLP_ENDPOINT`.")
        if let written { return written }
        let fallback = TelemetryReceiverConfiguration().url
        if section.isDescribing { return fallback }
        let variable = "OTEL_EXPORTER_OTLP_ENDPOINT"
        guard let text = section.environment.nonEmptyVariable(variable) else {
            section.mistake("url", "required, unless the variable \(variable) is set")
            return fallback
        }
        do throws(BaseURL.Malformed) {
            return try BaseURL(text, schemes: [.http, .https])
        } catch {
            section.mistake("url", "\(variable) is to be \(error.message)")
            return fallback
        }
    }

    /// What the section does not say.
    private mutating func readEnvironment(_ section: ConfigSection) {
        if section.isDescribing { return }
        if !section.has("timeout_ms"), let text = section.environment.nonEmptyVariable("OTEL_EXPORTER_OTLP_TIMEOUT") {
            guard let milliseconds = Int(text), 100...60_000 ~= milliseconds else {
                return section.mistake("timeout_ms", "OTEL_EXPORTER_OTLP_TIMEOUT is to be 100 to 60000, in milliseconds")
            }
            receiver.timeout = .milliseconds(milliseconds)
        }
        guard !section.has("headers"), receiver.credentials == .none,
            let text = section.environment.nonEmptyVariable("OTEL_EXPORTER_OTLP_HEADERS")
        else { return }
        for pair in BaggageText.pairs(text).prefix(32) {
            let name = pair.name.lowercased()
            guard HeaderRules.names.isAllowed(name), HeaderRules.isValue(pair.value.utf8Span.span) else {
                section.mistake("headers", "OTEL_EXPORTER_OTLP_HEADERS is to be name=value, with commas between, and names those of fields")
                return
            }
            receiver.headers.removeAll { $0.name == name }
            receiver.headers.append(Named(name, Secret(pair.value)))
        }
    }
}
