import SluiceCore
import TestSupport
import Testing

@testable import sluice_bench

@Suite struct `The histogram of latencies` {
    @Test func `a quantile is at most one part in 128 above the value that has that rank`() {
        for seed in SplitMix64.seeds(50) {
            var random = SplitMix64(seed)
            var histogram = Histogram()
            var values: [Int] = []
            for _ in 0..<500 {
                let value = Int.random(in: 0..<(1 << Int.random(in: 1...40, using: &random)), using: &random)
                values.append(value)
                histogram.record(value)
            }
            values.sort()
            for share in [0.01, 0.5, 0.9, 0.99, 0.999, 1] {
                let exact = values[max(1, Int((share * 500).rounded(.up))) - 1]
                let told = histogram.quantile(share)
                #expect(told >= exact && told <= exact + exact / 128 + 1, "seed \(seed), share \(share)")
            }
        }
    }

    @Test func `one slow request in a hundred is the last hundredth and not the middle`() {
        var histogram = Histogram()
        for _ in 0..<99 { histogram.record(100) }
        histogram.record(5_000_000)
        #expect(histogram.quantile(0.5) == 100)
        #expect(histogram.quantile(0.99) == 100)
        #expect(histogram.quantile(0.999) == 5_000_000)
    }

    @Test func `the mean is exact`() {
        var histogram = Histogram()
        #expect(histogram.meanMilliseconds == 0)
        for milliseconds in [1, 2, 6] { histogram.record(milliseconds * Clock.millisecond) }
        #expect(histogram.meanMilliseconds == 3)
    }

    @Test func `the longest duration there is has a bucket, and a negative one counts as none`() {
        var histogram = Histogram()
        histogram.record(.max)
        histogram.record(-1)
        #expect(histogram.quantile(1) == .max)
        #expect(histogram.quantile(0.5) == 0)
    }
}
