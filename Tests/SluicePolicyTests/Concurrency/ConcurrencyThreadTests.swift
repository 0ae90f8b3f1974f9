import Foundation
import SluiceCore
import SluicePolicy
import Synchronization
import TestSupport
import Testing

@Suite struct `Concurrency gate among threads` {
    /// What all threads share.
    private final class Floor: Sendable {
        let gate: ConcurrencyGate
        let inside = Atomic<Int>(0)
        let most = Atomic<Int>(0)
        let served = Atomic<Int>(0)
        let left = Atomic<Int>(0)
        let refused = Atomic<Int>(0)

        init(_ settings: ConcurrencyGate.Settings) { gate = ConcurrencyGate(GateID(.model, "m"), settings) }

        func work() {
            let now = inside.add(1, ordering: .relaxed).newValue
            most.max(now, ordering: .relaxed)
            if now.isMultiple(of: 3) { sched_yield() }
            served.add(1, ordering: .relaxed)
            inside.subtract(1, ordering: .relaxed)
            gate.exit(heldFor: .microseconds(1))
        }

        func visit(_ random: inout SplitMix64) {
            if random.next() % 4 == 0 {
                if gate.tryEnter() { work() } else { refused.add(1, ordering: .relaxed) }
                return
            }
            let turn = DispatchSemaphore(value: 0)
            let answer = Mutex<ConcurrencyGate.Turn?>(nil)
            let entry = gate.enter(rank: Int(random.next() % 3), at: Instant(nanoseconds: Int64(random.next() % 1000))) {
                given in
                // Told twice would be a slot too many.
                answer.withLock { known in
                    precondition(known == nil)
                    known = given
                }
                turn.signal()
            }
            switch entry {
            case .admitted: work()
            case .full: refused.add(1, ordering: .relaxed)
            case .waiting(let ticket, _):
                if random.next() % 3 == 0 {
                    if random.next() % 2 == 0 { sched_yield() }
                    if gate.leave(ticket, because: .gone) {
                        left.add(1, ordering: .relaxed)
                        return
                    }
                }
                turn.wait()
                if answer.withLock({ $0 }) == .admitted { work() } else { refused.add(1, ordering: .relaxed) }
            }
        }
    }

    @Test(arguments: [0, 2, 50])
    func `there are never more inside than the limit, and everybody is served, refused or has left`(queueMax: Int) {
        let threadCount = 8
        let visits = 3000
        for seed in SplitMix64.seeds(2) {
            let floor = Floor(ConcurrencyGate.Settings(limit: 3, queueMax: queueMax, patience: .seconds(1)))
            DispatchQueue.concurrentPerform(iterations: threadCount) { thread in
                var random = SplitMix64(seed &+ UInt64(thread))
                for _ in 0..<visits { floor.visit(&random) }
            }
            let total =
                floor.served.load(ordering: .relaxed) + floor.left.load(ordering: .relaxed)
                + floor.refused.load(ordering: .relaxed)
            #expect(floor.most.load(ordering: .relaxed) <= 3, "seed \(seed)")
            #expect(total == threadCount * visits, "seed \(seed)")
            #expect(floor.gate.inUse == 0 && floor.gate.waiting == 0, "seed \(seed)")
        }
    }

    @Test func `limits that change meanwhile lose nobody`() {
        for seed in SplitMix64.seeds(2) {
            let floor = Floor(ConcurrencyGate.Settings(limit: 2, queueMax: 100, patience: .seconds(1)))
            DispatchQueue.concurrentPerform(iterations: 8) { thread in
                var random = SplitMix64(seed &+ UInt64(thread))
                for round in 0..<2000 {
                    if thread == 0, round.isMultiple(of: 20) {
                        floor.gate.adopt(
                            ConcurrencyGate.Settings(limit: 1 + Int(random.next() % 6), queueMax: Int(random.next() % 100)))
                    } else {
                        floor.visit(&random)
                    }
                }
            }
            #expect(floor.most.load(ordering: .relaxed) <= 6, "seed \(seed)")
            #expect(floor.gate.inUse == 0 && floor.gate.waiting == 0, "seed \(seed)")
        }
    }
}
