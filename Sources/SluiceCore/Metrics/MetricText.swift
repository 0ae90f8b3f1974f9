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
        append(escaping: family.help, quotes: format == .openMetrics)
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
        switch sample.value {
        case .number(let number):
            buffer.append(family.name)
            if family.isCounter { buffer.append("_total") }
            labels(family, sample)
            append(number)
        case .histogram(let counts, let sum):
            guard case .histogram(let scale) = family.kind else { return }
            var total = 0
            for (index, count) in counts.enumerated() {
                total += count
                buffer.append(family.name)
                buffer.append("_bucket")
                labels(family, sample, bound: index < scale.texts.count ? scale.texts[index] : "+Inf")
                append(Double(total))
            }
            buffer.append(family.name)
            buffer.append("_sum")
            labels(family, sample)
            append(sum)
            buffer.append(family.name)
            buffer.append("_count")
            labels(family, sample)
            append(Double(total))
        }
    }

    private func labels(_ family: MetricFamily, _ sample: MetricCollection.Sample, bound: String? = nil) {
        if sample.values.isEmpty, bound == nil { return buffer.append(" ") }
        var separator: StaticString = "{"
        for (name, value) in zip(family.labels, sample.values) {
            buffer.append(separator)
            buffer.append(name)
            buffer.append("=\"")
            append(escaping: value, quotes: true)
            buffer.append("\"")
            separator = ","
        }
        if let bound {
            buffer.append(separator)
            buffer.append("le=\"")
            buffer.append(bound)
            buffer.append("\"")
        }
        buffer.append("} ")
    }

    private func append(_ number: Double) {
        if number == number.rounded(), abs(number) < 1e15 {
            buffer.append(decimal: Int(number))
        } else if number.isFinite {
            buffer.append("\(number)")
        } else {
            buffer.append(number.isNaN ? "NaN" : number < 0 ? "-Inf" : "+Inf")
        }
        buffer.append("\n")
    }

    private func append(escaping text: String, quotes: Bool) {
        let bytes = text.utf8Span.span
        for index in bytes.indices {
            switch bytes[index] {
            case UInt8(ascii: "\\"): buffer.append("\\\\")
            case UInt8(ascii: "\n"): buffer.append("\\n")
            case UInt8(ascii: "\"") where quotes: buffer.append("\\\"")
            case let byte: buffer.append(byte)
            }
        }
    }
}

extension MetricFamily {
    var isCounter: Bool { if case .counter = kind { true } else { false } }

    fileprivate var typeText: StaticString {
        switch kind {
        case .counter: " counter\n"
        case .gauge: " gauge\n"
        case .histogram: " histogram\n"
        }
    }
}
