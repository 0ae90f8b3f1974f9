import SluiceCore
import TestSupport
import Testing

@testable import sluice_bench

@Suite struct `Timers of the stand-in upstream` {
    @Test func `they fire in the order of their times, and none before its time`() {
        for seed in SplitMix64.seeds(50) {
            var random = SplitMix64(seed)
            var heap = TimerHeap()
            var expected: [Int] = []
            for token in 0..<200 {
                let due = Int.random(in: 0..<100, using: &random)
                expected.append(due)
                heap.add(.init(due: due, token: token, generation: 0))
            }
            expected.sort()
            #expect(heap.earliest == expected.first, "seed \(seed)")
            var fired: [Int] = []
            for now in 0..<100 {
                while let entry = heap.removeFirst(dueAt: now) {
                    #expect(entry.due <= now, "seed \(seed)")
                    fired.append(entry.due)
                }
            }
            #expect(fired == expected, "seed \(seed)")
        }
    }
}
