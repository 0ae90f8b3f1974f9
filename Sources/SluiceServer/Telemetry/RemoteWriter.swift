internal import SluiceCore
internal import SluiceHTTP

/// Metrics as messages of Prometheus remote-write 1.0 (prometheus.io/docs/specs/prw/remote_write_spec).
///
/// Keeps which series there were, to say of those that are gone that they are: otherwise a receiver shows their last value for
/// another five minutes.
struct RemoteWriter {
    /// A NaN of which Prometheus says that the series ended (prometheus/model/value, `StaleNaN`).
    static let staleBits: UInt64 = 0x7FF0_0000_0000_0002

    private struct Known {
        let family: MetricFamily
        let value: MetricCollection.Value
    }

    private let labels: [(name: String, value: String)]
    private let names: Set<String>
    private let samplesMax: Int
    /// Series of the last message, by the family's name and the label values.
    private var known: [String: [[String]: Known]] = [:]
    private var lastMilliseconds = 0

    /// - Parameter labels: those that every series gets.
    init(_ labels: [(name: String, value: String)], samplesMax: Int) {
        self.labels = labels
        self.samplesMax = samplesMax
        names = Set(labels.map(\.name))
    }

    /// - Parameter milliseconds: when this was so, since 1970. Samples of a series never go back in time, even if the clock does.
    mutating func messages(_ collection: MetricCollection, at milliseconds: Int) -> [TelemetryMessage] {
        let time = max(milliseconds, lastMilliseconds + 1)
        lastMilliseconds = time
        var batches = RemoteWriteBatches(samplesMax: samplesMax)
        var fresh: [String: [[String]: Known]] = [:]
        for group in collection.yielding(to: names).groups {
            let writer = RemoteWriteSeries(group.family, labels)
            var series: [[String]: Known] = [:]
            for sample in group.samples {
                writer.append(sample.values, sample.value, at: time, isStale: false, to: &batches)
                series[sample.values] = Known(family: group.family, value: sample.value)
            }
            fresh[group.family.name] = series
        }
        for (name, series) in known {
            let still = fresh[name]
            end(series.filter { still?[$0.key] == nil }, at: time, &batches)
        }
        known = fresh
        return batches.finish()
    }

    /// That all series are at their end.
    mutating func ending(at milliseconds: Int) -> [TelemetryMessage] {
        let time = max(milliseconds, lastMilliseconds + 1)
        lastMilliseconds = time
        var batches = RemoteWriteBatches(samplesMax: samplesMax)
        for series in known.values { end(series, at: time, &batches) }
        known = [:]
        return batches.finish()
    }

    private func end(_ series: [[String]: Known], at time: Int, _ batches: inout RemoteWriteBatches) {
        for (values, known) in series {
            RemoteWriteSeries(known.family, labels).append(values, known.value, at: time, isStale: true, to: &batches)
        }
    }
}

/// How the series of one family are written: their labels in the order of their names.
private struct RemoteWriteSeries {
    private enum Source {
        case name, bound
        case own(Int)
        case given(String)
    }

    private let family: MetricFamily
    private let order: [(name: String, source: Source)]

    init(_ family: MetricFamily, _ labels: [(name: String, value: String)]) {
        self.family = family
        var all: [(name: String, source: Source)] = [("__name__", .name), ("le", .bound)]
        all += labels.map { ($0.name, .given($0.value)) }
        all += family.labels.enumerated().map { ($0.element, .own($0.offset)) }
        // By their bytes, as receivers compare them.
        order = all.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    func append(
        _ values: [String], _ value: MetricCollection.Value, at time: Int, isStale: Bool, to batches: inout RemoteWriteBatches
    ) {
        MetricCollection.forEachSeries(of: family, value) { suffix, bound, number in
            batches.append { series in
                for (name, source) in order {
                    switch source {
                    case .name: label(series, name) { $0.string(2, family.name + "\(suffix)") }
                    case .bound: if let bound { label(series, name) { $0.string(2, bound) } }
                    // One without a value is one that is not there.
                    case .own(let index):
                        if index < values.count, !values[index].isEmpty { label(series, name) { $0.string(2, values[index]) } }
                    case .given(let text): label(series, name) { $0.string(2, text) }
                    }
                }
                series.message(2) { sample in
                    if isStale { sample.fixed64(1, RemoteWriter.staleBits) } else { sample.double(1, number) }
                    sample.int(2, time)
                }
            }
        }
    }

    private func label(_ series: ProtobufWriter, _ name: String, _ value: (ProtobufWriter) -> Void) {
        series.message(1) { label in
            label.string(1, name)
            value(label)
        }
    }
}

/// Series in messages of so many samples.
private struct RemoteWriteBatches {
    private let samplesMax: Int
    private var buffer = ByteBuffer(capacity: 65_536)
    private var count = 0
    private var messages: [TelemetryMessage] = []

    init(samplesMax: Int) { self.samplesMax = samplesMax }

    mutating func append(_ series: (ProtobufWriter) -> Void) {
        if count == samplesMax { close() }
        ProtobufWriter(into: buffer).message(1, series)
        count += 1
    }

    private mutating func close() {
        if count == 0 { return }
        let compressed = ByteBuffer(capacity: buffer.count / 4 + 64)
        Snappy.compress(buffer.span, into: compressed)
        messages.append(
            TelemetryMessage(
                contentType: "application/x-protobuf",
                fields: [("content-encoding", "snappy"), ("x-prometheus-remote-write-version", "0.1.0")],
                body: [UInt8](copying: compressed.span), itemCount: count))
        buffer.removeAll()
        count = 0
    }

    mutating func finish() -> [TelemetryMessage] {
        close()
        return messages
    }
}
