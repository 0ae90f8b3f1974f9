import SluiceCore
import TestSupport
import Testing

@testable import sluice_bench

@Suite struct `The slope of a series` {
    private static func points(
        _ count: Int, slope: Double, noise: Double = 0, _ random: inout SplitMix64
    ) -> [(x: Double, y: Double)] {
        (0..<count).map { index in
            let x = Double(index) / Double(count)
            return (x, 20 + slope * x + (noise == 0 ? 0 : Double.random(in: -noise...noise, using: &random)))
        }
    }

    @Test(arguments: [-3.0, 0, 0.5, 40]) func `of a line is the line's, without doubt`(slope: Double) throws {
        var random = SplitMix64(1)
        let trend = try #require(Trend(Self.points(300, slope: slope, &random)))
        for number in [trend.slope, trend.lower, trend.upper] { #expect(abs(number - slope) < 1e-9) }
    }

    @Test func `is not changed by a fifth of wild values`() throws {
        var random = SplitMix64(2)
        var points = Self.points(600, slope: 2, &random)
        for index in stride(from: 0, to: points.count, by: 5) { points[index].y = 1_000 }
        let trend = try #require(Trend(points))
        #expect(abs(trend.slope - 2) < 0.05)
        #expect(trend.upper < 2.5)
    }

    @Test func `is between the ends of its interval, which holds the true one in nearly all cases`() throws {
        var held = 0
        for seed in 1...200 as ClosedRange<UInt64> {
            var random = SplitMix64(seed)
            let trend = try #require(Trend(Self.points(300, slope: 1, noise: 2, &random)))
            #expect(trend.lower <= trend.slope && trend.slope <= trend.upper, "seed \(seed)")
            if trend.lower <= 1 && 1 <= trend.upper { held += 1 }
        }
        #expect(held >= 180)
    }

    @Test func `of a leak is told from none, where the noise is small beside it`() throws {
        var random = SplitMix64(4)
        #expect(try #require(Trend(Self.points(300, slope: 5, noise: 1, &random))).lower > 0)
        let flat = try #require(Trend(Self.points(300, slope: 0, noise: 1, &random)))
        #expect(flat.lower < 0 && flat.upper > 0)
    }

    @Test func `is unknown for a few points, or for a single moment`() {
        var random = SplitMix64(5)
        #expect(Trend(Self.points(Trend.blockCount - 1, slope: 1, &random)) == nil)
        #expect(Trend((0..<100).map { _ in (1, 2) }) == nil)
    }
}
