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
    /// How many of what is counted make one of what is told.
    private let countsInOne: Double
    /// Series beyond so many go to one whose labels all say `other`.
    package let seriesMax: Int

    package init(
        _ name: String, _ kind: Kind, unit: String? = nil, scale: Double = 1, labels: [String] = [],
        seriesMax: Int = 1000, help: String
    ) {
        precondition(unit.map { name.hasSuffix("_" + $0) } ?? true, "\(name) does not end with its unit")
        precondition(!name.hasSuffix("_total"), "\(name) has the suffix that formats add")
        self.name = name
        self.kind = kind
        self.unit = unit
        self.scale = scale
        countsInOne = (1 / scale).rounded()
        precondition(countsInOne >= 1, "\(name) counts in units that are larger than those it tells")
        self.labels = labels
        self.seriesMax = seriesMax
        self.help = help
    }

    /// What was counted, in the unit that is told.
    ///
    /// A whole number is divided by one: the quotient is the Double next to the decimal that is meant, and written as that. Of
    /// nanoseconds 1e-9 is itself only near to what is meant, and so is what has been multiplied by it: 0.0018053930000000002.
    package func value(of count: Int) -> Double { Double(count) / countsInOne }

    /// The sum of two values of the family, as if they had been counted together.
    package func sum(_ a: Double, _ b: Double) -> Double {
        let counts = (a * countsInOne).rounded() + (b * countsInOne).rounded()
        // Above that a Double does not hold every whole number: nothing is to be won.
        return abs(counts) < 0x1p53 ? counts / countsInOne : a + b
    }

    /// The same with other names for its labels, in their order.
    func naming(_ labels: [String]) -> Self {
        Self(name, kind, unit: unit, scale: scale, labels: labels, seriesMax: seriesMax, help: help)
    }

    /// How many counts one series keeps: a histogram has one for each bucket, and the sum.
    var slotCount: Int {
        switch kind {
        case .counter, .gauge: 1
        case .histogram(let scale): scale.boundCount + 2
        }
    }
}

/// The upper bounds of a histogram's buckets, in what is counted (nanoseconds, tokens), ascending, without the infinite one.
///
/// `@unchecked Sendable`: the memory behind the pointer is written before anybody else sees it, and never again.
@safe package final class HistogramScale: @unchecked Sendable {
    let bounds: UnsafePointer<Int>
    package let boundCount: Int
    /// As the formats spell them, in the unit of the family.
    package let texts: [String]
    /// In the unit of the family.
    package let values: [Double]

    /// - Parameter scale: that of the family.
    package init(_ values: [Double], scale: Double = 1) {
        let memory = UnsafeMutablePointer<Int>.allocate(capacity: max(values.count, 1))
        for (index, value) in values.enumerated() { unsafe memory[index] = Int((value / scale).rounded()) }
        unsafe bounds = UnsafePointer(memory)
        boundCount = values.count
        self.values = values
        texts = values.map(Self.text)
    }

    deinit { unsafe bounds.deallocate() }

    package static func seconds(_ values: [Double]) -> HistogramScale { HistogramScale(values, scale: 1e-9) }

    /// The first bucket that the value is not above; the one after the last bound is the infinite one.
    package func bucket(of value: Int) -> Int {
        (0..<boundCount).first { unsafe bounds[$0] >= value } ?? boundCount
    }

    /// What they all have in common, as a number: with a point.
    private static func text(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int(value)).0" : "\(value)"
    }
}
