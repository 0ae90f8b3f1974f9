import SluiceCore
import SluicePolicy
import TestSupport
import Testing

@Suite struct `Waits between attempts` {
    @Test func `every wait is within its bound, which doubles up to the longest`() {
        for seed in SplitMix64.seeds(200) {
            var random = SplitMix64(seed)
            let base = Duration.milliseconds(Int.random(in: 1...1000, using: &random))
            let longest = base * Int.random(in: 1...50, using: &random)
            for repeats in 0..<70 {
                let wait = Backoff.wait(base: base, longest: longest, repeats: repeats, using: &random)
                #expect(wait >= .zero && wait <= longest, "seed \(seed)")
                if repeats < 20 { #expect(wait <= base * (1 << repeats), "seed \(seed)") }
            }
        }
    }

    @Test func `waits are spread over the whole of their bound`() {
        var random = SplitMix64(7)
        let waits = (0..<1000).map { _ in
            Backoff.wait(base: .milliseconds(100), longest: .seconds(1), repeats: 1, using: &random)
        }
        for tenth in 0..<10 {
            let range = Duration.milliseconds(20 * tenth)...Duration.milliseconds(20 * (tenth + 1))
            #expect(waits.count { range.contains($0) } > 50)
        }
    }

    @Test func `no base and no bound are no wait`() {
        var random = SplitMix64(1)
        #expect(Backoff.wait(base: .zero, longest: .seconds(1), repeats: 3, using: &random) == .zero)
        #expect(Backoff.bound(base: .seconds(1 << 40), longest: .seconds(5), repeats: 60) == .seconds(5))
    }
}
