import SluiceCore
import TestSupport
import Testing

@testable import SluiceNet

@Suite struct `Timer wheel` {
    private static let tick: Int64 = 1_000_000

    private final class Target: TimerTarget {
        func timerFired(_ timer: LoopTimer) {}
    }

    /// What the wheel promises, kept in a plain list: never early, at most a tick late, each arming fires once.
    private struct Model {
        struct Entry {
            let timer: LoopTimer
            var deadline: Int64?
            /// The first tick at which it could be looked at when it was armed.
            var earliestTick: Int64 = 0
        }
        var entries: [Entry] = []
        var now: Int64

        func isDue(_ entry: Entry) -> Bool { entry.deadline.map { $0 <= now } ?? false }
        func mustFire(_ entry: Entry) -> Bool {
            guard let deadline = entry.deadline else { return false }
            return max((deadline + tick - 1) / tick, entry.earliestTick) <= now / tick
        }
    }

    @Test func `it agrees with a list of deadlines, whatever is armed, moved, disarmed and removed`() {
        for seed in SplitMix64.seeds(150) {
            var random = SplitMix64(seed)
            let start = Int64.random(in: 0...5_000_000_000_000, using: &random)
            var model = Model(now: start)
            var wheel = TimerWheel(now: Instant(nanoseconds: start))
            let target = Target()
            for _ in 0..<12 { model.entries.append(.init(timer: LoopTimer(target: target))) }
            for _ in 0..<300 {
                let index = Int.random(in: 0..<model.entries.count, using: &random)
                switch Int.random(in: 0..<10, using: &random) {
                case 0..<5:
                    let reach: Int64 = [0, 3_000_000, 900_000_000, 9_000_000_000].randomElement(using: &random) ?? 0
                    let deadline = model.now + Int64.random(in: -2_000_000...reach, using: &random)
                    wheel.arm(model.entries[index].timer, at: Instant(nanoseconds: deadline))
                    model.entries[index].deadline = deadline
                    model.entries[index].earliestTick = model.now / Self.tick + 1
                case 5:
                    model.entries[index].timer.disarm()
                    model.entries[index].deadline = nil
                case 6:
                    wheel.remove(model.entries[index].timer)
                    model.entries[index] = .init(timer: LoopTimer(target: target))
                default:
                    let longest: Int64 =
                        [200_000, 5_000_000, 400_000_000, 6_000_000_000].randomElement(using: &random) ?? 0
                    model.now += Int64.random(in: 0...longest, using: &random)
                    expire(&wheel, &model, seed)
                }
                checkNextVisit(wheel, model, seed)
            }
        }
    }

    private func expire(_ wheel: inout TimerWheel, _ model: inout Model, _ seed: UInt64) {
        var due: [LoopTimer] = []
        wheel.expire(now: Instant(nanoseconds: model.now), into: &due)
        for index in model.entries.indices {
            let entry = model.entries[index]
            let count = due.count { $0 === entry.timer }
            #expect(count <= 1, "fired \(count) times, seed \(seed)")
            if count == 1 { #expect(model.isDue(entry), "fired early, seed \(seed)") }
            if model.mustFire(entry) { #expect(count == 1, "did not fire, seed \(seed)") }
            if count == 1 { model.entries[index].deadline = nil }
        }
    }

    private func checkNextVisit(_ wheel: TimerWheel, _ model: Model, _ seed: UInt64) {
        guard let first = model.entries.compactMap(\.deadline).min() else { return }
        let latest = max((first + Self.tick - 1) / Self.tick, model.now / Self.tick + 1) * Self.tick
        guard let visit = wheel.nextVisit() else {
            Issue.record("a timer is armed and the wheel wants no visit, seed \(seed)")
            return
        }
        #expect(visit.nanoseconds <= latest, "the visit is too late, seed \(seed)")
    }

    @Test func `a deadline at the end of time is neither an overflow nor ever due`() {
        var wheel = TimerWheel(now: Instant(nanoseconds: 0))
        let timer = LoopTimer(target: Target())
        wheel.arm(timer, at: Instant(nanoseconds: .max - 1))
        var due: [LoopTimer] = []
        for second in 1...10 { wheel.expire(now: Instant(nanoseconds: Int64(second) * 1_000_000_000), into: &due) }
        #expect(due.isEmpty)
        #expect(timer.isArmed)
    }
}
