internal import SluiceCore

/// Writes metrics as OTLP has them (opentelemetry/proto/metrics/v1/metrics.proto): cumulative sums, gauges, and histograms with
/// explicit bounds.
///
/// Metrics of GenAI and their attributes have the names of the semantic conventions, with dots; all others are called as at
/// `/metrics`, without the suffix that a counter has there.
struct OTLPMetrics {
    /// In nanoseconds since 1970: since when is counted, and now.
    let start: UInt64
    let now: UInt64
    private static let cumulative: UInt64 = 2  // AGGREGATION_TEMPORALITY_CUMULATIVE

    /// The metrics in messages of about `byteCountMax` bytes, each with the number of its data points. A metric is in one message.
    func messages(
        _ collection: MetricCollection, _ envelope: OTLPEnvelope, byteCountMax: Int
    ) -> [(body: [UInt8], points: Int)] {
        var messages: [(body: [UInt8], points: Int)] = []
        let metrics = ByteBuffer(capacity: 65_536)
        var points = 0
        func close() {
            if points == 0 { return }
            messages.append((envelope.request { $0.buffer.append(metrics.span) }, points))
            metrics.removeAll()
            points = 0
        }
        for group in collection.groups where !group.samples.isEmpty {
            if metrics.count >= byteCountMax { close() }
            write(group, into: ProtobufWriter(into: metrics))
            points += group.samples.count
        }
        close()
        return messages
    }

    private func write(_ group: MetricCollection.Group, into proto: ProtobufWriter) {
        let family = group.family
        let name = OTLPNames.metric(family)
        proto.message(2) { metric in
            metric.string(1, name.text)
            metric.string(2, family.help)
            if !name.unit.isEmpty { metric.string(3, name.unit) }
            switch family.kind {
            case .gauge: metric.message(5) { numbers(group, $0) }
            case .counter:
                metric.message(7) { sum in
                    numbers(group, sum)
                    sum.unsigned(2, Self.cumulative)
                    sum.bool(3, true)
                }
            case .histogram(let scale):
                metric.message(9) { histogram in
                    histograms(group, scale, histogram)
                    histogram.unsigned(2, Self.cumulative)
                }
            }
        }
    }

    private func numbers(_ group: MetricCollection.Group, _ proto: ProtobufWriter) {
        for sample in group.samples {
            guard case .number(let number) = sample.value else { continue }
            proto.message(1) { point in
                time(point)
                point.double(4, number)
                attributes(group.family, sample, 7, point)
            }
        }
    }

    private func histograms(_ group: MetricCollection.Group, _ scale: HistogramScale, _ proto: ProtobufWriter) {
        let bounds = scale.texts.compactMap { Double($0) }
        for sample in group.samples {
            guard case .histogram(let counts, let sum) = sample.value else { continue }
            proto.message(1) { point in
                time(point)
                point.fixed64(4, UInt64(clamping: counts.reduce(0, +)))
                point.double(5, sum)
                point.packed(6, fixed64: counts.map { UInt64(clamping: $0) })
                point.packed(7, doubles: bounds)
                for case let exemplar? in sample.exemplars { write(exemplar, point) }
                attributes(group.family, sample, 9, point)
            }
        }
    }

    /// A request that was counted: of those in no trace there is nothing to be found by a trace's id.
    private func write(_ exemplar: MetricExemplar, _ point: ProtobufWriter) {
        guard case .trace(let text) = exemplar.identity, let id = TraceID(text.utf8Span.span) else { return }
        point.message(8) { message in
            message.fixed64(2, UInt64(clamping: exemplar.unixNanoseconds))
            message.double(3, exemplar.value)
            let bytes = id.bytes
            message.bytes(5, bytes.span)
        }
    }

    /// `start_time_unix_nano` and `time_unix_nano`, which all points have under the same numbers.
    private func time(_ point: ProtobufWriter) {
        point.fixed64(2, start)
        point.fixed64(3, now)
    }

    private func attributes(
        _ family: MetricFamily, _ sample: MetricCollection.Sample, _ field: Int, _ point: ProtobufWriter
    ) {
        for (label, value) in zip(family.labels, sample.values) where !value.isEmpty {
            point.attribute(field, named: OTLPNames.attribute(label), value)
        }
    }
}

/// How what has a name in Prometheus is called in OpenTelemetry.
enum OTLPNames {
    static func metric(_ family: MetricFamily) -> (text: String, unit: String) {
        let unit = family.unit == "seconds" ? "s" : family.unit == "bytes" ? "By" : ""
        guard family.name.hasPrefix("gen_ai_") else { return (family.name, unit) }
        let text = family.name.hasSuffix("_seconds") ? String(family.name.dropLast(8)) : family.name
        if let known = metrics[text] { return (known, unit.isEmpty ? "{token}" : unit) }
        return (family.name, unit)
    }

    static func attribute(_ label: String) -> String { attributes[label] ?? label }

    private static let metrics = [
        "gen_ai_client_token_usage": "gen_ai.client.token.usage",
        "gen_ai_client_operation_duration": "gen_ai.client.operation.duration",
        "gen_ai_client_operation_time_to_first_chunk": "gen_ai.client.operation.time_to_first_chunk",
        "gen_ai_server_request_duration": "gen_ai.server.request.duration",
        "gen_ai_server_time_per_output_token": "gen_ai.server.time_per_output_token",
        "gen_ai_server_time_to_first_token": "gen_ai.server.time_to_first_token",
    ]

    private static let attributes = [
        "gen_ai_operation_name": "gen_ai.operation.name", "gen_ai_provider_name": "gen_ai.provider.name",
        "gen_ai_original_model": "gen_ai.original.model", "gen_ai_request_model": "gen_ai.request.model",
        "gen_ai_response_model": "gen_ai.response.model", "gen_ai_token_type": "gen_ai.token.type",
        "error_type": "error.type",
    ]
}
