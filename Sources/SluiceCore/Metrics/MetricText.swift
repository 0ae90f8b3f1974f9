/// Writes metrics as text: the Prometheus exposition format 0.0.4, or OpenMetrics 1.0.
package struct MetricText {
    package enum Format: Sendable {
        case prometheus, openMetrics

        /// For `content-type`.
        package var mediaType: String {
            switch self {
            case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }
    }

    private let format: Format
    private let buffer: ByteBuffer
    /// The labels of the sample that is written, without braces.
    private let labels = ByteBuffer(capacity: 512)

    package static func write(_ collection: MetricCollection, as format: Format, into buffer: ByteBuffer) {
        let text = Self(format: format, buffer: buffer)
        for group in collection.groups { text.write(group) }
        if format == .openMetrics { buffer.append("# EOF\n") }
    }

    private func write(_ group: MetricCollection.Group) {
        let family = group.family
        // In OpenMetrics a family's name has no suffix; in the older format a counter's name is that of its samples.
        let name = format == .prometheus && family.isCounter ? family.name + "_total" : family.name
        line("# HELP ", name, " ")
        Self.append(escaping: family.help, quotes: format == .openMetrics, to: buffer)
        buffer.append("\n")
        line("# TYPE ", name, family.typeText)
        if format == .openMetrics, let unit = family.unit {
            line("# UNIT ", name, " ")
            buffer.append(unit)
            buffer.append("\n")
        }
        for sample in group.samples { write(sample, family) }
    }

    private func line(_ start: StaticString, _ name: String, _ end: StaticString) {
        buffer.append(start)
        buffer.append(name)
        buffer.append(end)
    }

    private func write(_ sample: MetricCollection.Sample, _ family: MetricFamily) {
        writeLabels(family, sample)
        switch sample.value {
        case .number(let number):
            begin(family, family.isCounter ? "_total" : "")
            append(number)
            buffer.append("\n")
        case .histogram(let counts, let sum):
            guard case .histogram(let scale) = family.kind else { return }
            write(counts, scale, sample, family)
            begin(family, "_sum")
            append(sum)
            buffer.append("\n")
            begin(family, "_count")
            buffer.append(decimal: counts.reduce(0, +))
            buffer.append("\n")
        }
    }

    private func write(
        _ counts: [Int], _ scale: HistogramScale, _ sample: MetricCollection.Sample, _ family: MetricFamily
    ) {
        var total = 0
        for index in counts.indices {
            total += counts[index]
            buffer.append(family.name)
            buffer.append("_bucket{")
            if !labels.isEmpty {
                buffer.append(labels.span)
                buffer.append(",")
            }
            buffer.append("le=\"")
            if index < scale.texts.count { buffer.append(scale.texts[index]) } else { buffer.append("+Inf") }
            buffer.append("\"} ")
            buffer.append(decimal: total)
            if format == .openMetrics, sample.exemplars.indices.contains(index), let exemplar = sample.exemplars[index] {
                append(exemplar)
            }
            buffer.append("\n")
        }
    }

    /// A line's name and labels, up to its value.
    private func begin(_ family: MetricFamily, _ suffix: StaticString) {
        buffer.append(family.name)
        buffer.append(suffix)
        if labels.isEmpty { return buffer.append(" ") }
        buffer.append("{")
        buffer.append(labels.span)
        buffer.append("} ")
    }

    private func writeLabels(_ family: MetricFamily, _ sample: MetricCollection.Sample) {
        labels.removeAll()
        for index in 0..<min(family.labels.count, sample.values.count) {
            if index > 0 { labels.append(",") }
            labels.append(family.labels[index])
            labels.append("=\"")
            Self.append(escaping: sample.values[index], quotes: true, to: labels)
            labels.append("\"")
        }
    }

    private func append(_ exemplar: MetricExemplar) {
        buffer.append(" # {")
        buffer.append(exemplar.identity.label)
        buffer.append("=\"")
        Self.append(escaping: exemplar.identity.text, quotes: true, to: buffer)
        buffer.append("\"} ")
        append(exemplar.value)
        buffer.append(" ")
        append(Double(exemplar.unixNanoseconds / 1_000_000) / 1000)
    }

    private func append(_ number: Double) {
        if number == number.rounded(), abs(number) < 1e15 {
            buffer.append(decimal: Int(number))
        } else if number.isFinite {
            buffer.append("\(number)")
        } else {
            buffer.append(number.isNaN ? "NaN" : number < 0 ? "-Inf" : "+Inf")
        }
    }

    /// - Parameter quotes: whether they are escaped, too.
    private static func append(escaping text: String, quotes: Bool, to buffer: ByteBuffer) {
        let bytes = text.utf8Span.span
        var start = 0
        for index in bytes.indices {
            let escaped: StaticString
            switch bytes[index] {
            case UInt8(ascii: "\\"): escaped = "\\\\"
            case UInt8(ascii: "\n"): escaped = "\\n"
            case UInt8(ascii: "\"") where quotes: escaped = "\\\""
            default: continue
            }
            buffer.append(bytes.extracting(start..<index))
            buffer.append(escaped)
            start = index + 1
        }
        buffer.append(bytes.extracting(start..<bytes.count))
    }
}

extension MetricFamily {
    package var isCounter: Bool { if case .counter = kind { true } else { false } }

    fileprivate var typeText: StaticString {
        switch kind {
        case .counter: " counter\n"
        case .gauge: " gauge\n"
        case .histogram: " histogram\n"
        }
    }
}
