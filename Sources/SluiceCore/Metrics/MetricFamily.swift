/// What a metric is called, counts and is split by: one `# TYPE` of the exposition formats.
package struct MetricFamily: Sendable {
    package enum Kind: Sendable {
        case counter, gauge
        case histogram(HistogramScale)
    }

    /// Without the suffix (`_total`, `_bucket`) that a format puts after it.
    package let name: String
    package let kind: Kind
    /// The last word of the name where it is a unit of OpenMetrics: `seconds`, `bytes`.
    package let unit: String?
    package let help: String
    package let labels: [String]
    /// What one is worth of what was counted: 1e-9 for nanoseconds that are told as seconds.
    package let scale: Double
    /// Series beyond so many go to one whose labels all say `other`.
    package let seriesMax: Int

    package init(
        _ name: String, _ kind: Kind, unit: String? = nil, scale: Double = 1, labels: [String] = [],
        seriesMax: Int = 1000, help: String
    ) {
        self.name = name
        self.kind = kind
        self.unit = unit
        self.scale = scale
        self.labels = labels
        self.seriesMax = seriesMax
        self.help = help
    }

    /// The same with other names for its labels, in their order.
    func naming(_ labels: [String]) -> Self {
        Self(name, kind, unit: unit, scale: scale, labels: labels, seriesMax: seriesMax, help: help)
    }

    /// How many counts one series keeps: a histogram has one for each bucket, and the sum.
    var slotCount: Int {
        switch kind {
        case .counter, .gauge: 1
        case .histogram(let scale): scale.bounds.count + 2
        }
    }
}

/// The upper bounds of a histogram's buckets, in what is counted (nanoseconds, tokens), ascending, without the infinite one.
package struct HistogramScale: Sendable {
    package let bounds: [Int]
    /// As the formats spell them, in the unit of the family.
    package let texts: [String]

    /// - Parameter scale: that of the family.
    package init(_ values: [Double], scale: Double = 1) {
        bounds = values.map { Int(($0 / scale).rounded()) }
        texts = values.map(Self.text)
    }

    package static func seconds(_ values: [Double]) -> Self { Self(values, scale: 1e-9) }

    /// The first bucket that the value is not above; the one after the last bound is the infinite one.
    @inline(__always)
    package func bucket(of value: Int) -> Int {
        unsafe bounds.withUnsafeBufferPointer { bounds in
            var low = 0
            var high = bounds.count
            while low < high {
                let middle = (low + high) / 2
                if unsafe bounds[middle] < value { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    private static func text(_ value: Double) -> String {
        value == value.rounded() && value < 1e15 ? "\(Int(value)).0" : "\(value)"
    }
}
