/// The slope of a series over time that a few wild values do not change, and how sure it is (Theil 1950, Sen 1968).
///
/// Values that follow each other closely say much the same, so the series is cut into blocks, and each counts once, by
/// its median. An interval made of all values would be far too narrow.
struct Trend: Equatable {
    /// The median of the slopes between all pairs of blocks, and the ends of the interval that holds the true one with
    /// a confidence of 95 %: units of y for a unit of x.
    let slope: Double
    let lower: Double
    let upper: Double

    static let blockCount = 30
    /// The standard normal distribution's 97.5th percentile.
    private static let normalQuantile = 1.959_964

    /// - Parameter points: in the order of x.
    /// - Returns: `nil` for fewer points than blocks.
    init?(_ points: [(x: Double, y: Double)]) {
        guard points.count >= Self.blockCount else { return nil }
        let blocks = Self.blocks(points)
        var slopes: [Double] = []
        for first in blocks.indices {
            for second in blocks.index(after: first)..<blocks.endIndex where blocks[second].x > blocks[first].x {
                slopes.append((blocks[second].y - blocks[first].y) / (blocks[second].x - blocks[first].x))
            }
        }
        guard !slopes.isEmpty else { return nil }
        slopes.sort()
        slope = Statistics.median(slopes)
        let reach = Self.normalQuantile * Self.rankDeviation(blocks.count)
        let middle = Double(slopes.count)
        let low = Int(((middle - reach) / 2).rounded(.down))
        let high = Int(((middle + reach) / 2).rounded(.up))
        lower = slopes[max(0, min(slopes.count - 1, low - 1))]
        upper = slopes[max(0, min(slopes.count - 1, high))]
    }

    /// The standard deviation of Kendall's S for so many values without a trend.
    private static func rankDeviation(_ count: Int) -> Double {
        let count = Double(count)
        return (count * (count - 1) * (2 * count + 5) / 18).squareRoot()
    }

    private static func blocks(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
        (0..<blockCount).map { block in
            let part = points[points.count * block / blockCount..<points.count * (block + 1) / blockCount]
            return (Statistics.median(part.map(\.x)), Statistics.median(part.map(\.y)))
        }
    }
}
