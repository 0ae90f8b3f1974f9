/// Counts of durations in nanoseconds, in buckets that are never wider than 1/128 of what they hold (0.8 %).
///
/// The layout of HdrHistogram: values below 256 have a bucket each, and every doubling above has 128.
struct Histogram {
    private static let precisionBits = 7
    private static let bucketCount = (64 - precisionBits) << precisionBits

    private var counts = [Int](repeating: 0, count: bucketCount)
    private(set) var count = 0
    private(set) var maximum = 0
    private var sum = 0.0

    mutating func record(_ nanoseconds: Int) {
        let value = max(0, nanoseconds)
        counts[Self.bucket(of: value)] += 1
        count += 1
        maximum = max(maximum, value)
        sum += Double(value)
    }

    /// The smallest recorded value that at least this share (0 to 1) of all values do not exceed, to the bucket's width.
    func quantile(_ share: Double) -> Int {
        guard count > 0 else { return 0 }
        let rank = max(1, Int((share * Double(count)).rounded(.up)))
        var seen = 0
        for bucket in counts.indices {
            seen += counts[bucket]
            if seen >= rank { return min(maximum, Self.upperBound(of: bucket)) }
        }
        return maximum
    }

    /// The exact mean in milliseconds; 0 without values.
    var meanMilliseconds: Double { count == 0 ? 0 : sum / Double(count) / 1e6 }

    func milliseconds(_ share: Double) -> Double { Double(quantile(share)) / 1e6 }

    private static func bucket(of value: Int) -> Int {
        let width = Int.bitWidth - value.leadingZeroBitCount
        let shift = max(0, width - (precisionBits + 1))
        return (shift << precisionBits) + (value >> shift)
    }

    private static func upperBound(of bucket: Int) -> Int {
        let shift = max(0, (bucket >> precisionBits) - 1)
        let mantissa = bucket - (shift << precisionBits)
        return mantissa << shift | ((1 << shift) - 1)
    }
}
