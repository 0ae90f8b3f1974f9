import SluiceCore
import SluicePolicy
import Synchronization
import Testing

@Suite struct `Concurrency gate` {
    private static let start = Instant(nanoseconds: 0)

    private final class Notes: Sendable {
        let turns = Mutex<[(name: String, turn: ConcurrencyGate.Turn)]>([])
    }

    /// A gate in the hands of a test: who waits writes down how it ended.
    private final class Bench {
        let gate: ConcurrencyGate
        private let notes = Notes()
        var tickets: [String: ConcurrencyGate.Ticket] = [:]

        init(_ limit: Int, queueMax: Int = 10, aging: Duration = .seconds(2)) {
            gate = ConcurrencyGate(
                GateID(.model, "m"),
                ConcurrencyGate.Settings(limit: limit, queueMax: queueMax, patience: .seconds(5), aging: aging))
        }

        @discardableResult
        func enter(_ name: String, rank: Int = 0, at milliseconds: Int64 = 0) -> ConcurrencyGate.Answer {
            let answer = gate.enter(rank: rank, at: Instant(nanoseconds: milliseconds * 1_000_000)) { [notes] turn in
                notes.turns.withLock { $0.append((name, turn)) }
            }
            if case .waiting(let ticket, _) = answer { tickets[name] = ticket }
            return answer
        }

        func leave() { gate.exit(heldFor: .seconds(1)) }
        var admitted: [String] { notes.turns.withLock { $0.filter { $0.turn == .admitted }.map(\.name) } }
        var displaced: [String] { notes.turns.withLock { $0.filter { $0.turn == .displaced }.map(\.name) } }
    }

    @Test func `so many come in, and the next waits for one of them to go`() {
        let bench = Bench(2)
        #expect(bench.gate.tryEnter() && bench.gate.tryEnter() && !bench.gate.tryEnter())
        guard case .waiting(_, let until) = bench.enter("a") else { return #expect(Bool(false), "it should wait") }
        #expect(until == Instant(nanoseconds: 5_000_000_000))
        #expect(bench.gate.inUse == 2 && bench.gate.waiting == 1 && bench.admitted.isEmpty)
        bench.leave()
        // The slot went from hand to hand: nobody could come between.
        #expect(bench.admitted == ["a"] && bench.gate.inUse == 2 && bench.gate.waiting == 0)
        bench.leave()
        bench.leave()
        #expect(bench.gate.inUse == 0 && bench.gate.tryEnter())
    }

    @Test func `whoever comes while others wait does not overtake them`() {
        let bench = Bench(1)
        #expect(bench.gate.tryEnter())
        bench.enter("a")
        bench.gate.adopt(ConcurrencyGate.Settings(limit: 1, queueMax: 10))
        #expect(!bench.gate.tryEnter())
        bench.leave()
        #expect(bench.admitted == ["a"] && !bench.gate.tryEnter())
    }

    @Test func `a higher class goes first, and its own come in their order`() {
        let bench = Bench(1)
        _ = bench.gate.tryEnter()
        for (index, rank) in [2, 1, 0, 1, 0].enumerated() { bench.enter("\(rank)-\(index)", rank: rank, at: Int64(index)) }
        for _ in 0..<5 { bench.leave() }
        #expect(bench.admitted == ["0-2", "0-4", "1-1", "1-3", "2-0"])
    }

    @Test func `nobody starves: who waits is overtaken for its rank times the span of aging alone`() {
        let bench = Bench(1, queueMax: 1000, aging: .milliseconds(100))
        _ = bench.gate.tryEnter()
        bench.enter("low", rank: 2)
        // The highest class never stops coming, faster than anybody is served.
        var now: Int64 = 0
        for index in 0..<100 {
            for part in 0..<3 { bench.enter("high \(index).\(part)", at: now) }
            now += 10
            bench.leave()
        }
        let place = bench.admitted.firstIndex(of: "low")
        // Those that came within 200 ms: three each 10 ms, one of each round before it.
        #expect(place == 60 || place == 63, "\(place ?? -1)")
    }

    @Test func `with the line full, the youngest of a lower class gives its place to a higher one`() {
        let bench = Bench(1, queueMax: 3)
        _ = bench.gate.tryEnter()
        bench.enter("low 1", rank: 1)
        bench.enter("low 2", rank: 1)
        bench.enter("high 1", rank: 0)
        guard case .full = bench.enter("low 3", rank: 1) else { return #expect(Bool(false), "there is no place") }
        guard case .waiting = bench.enter("high 2", rank: 0) else { return #expect(Bool(false), "a place was free") }
        #expect(bench.displaced == ["low 2"])
        let counts = bench.gate.snapshot.counts
        #expect(counts.full == 1 && counts.displaced == 1 && counts.queued == 4)
        #expect(bench.gate.snapshot.waiting.prefix(2) == [2, 1])
        for _ in 0..<4 { bench.leave() }
        #expect(bench.admitted == ["high 1", "high 2", "low 1"] && bench.gate.inUse == 0)
    }

    @Test func `without a line, what is full is full`() {
        let bench = Bench(1, queueMax: 0)
        guard case .admitted = bench.enter("a") else { return #expect(Bool(false), "a slot was free") }
        guard case .full = bench.enter("b") else { return #expect(Bool(false), "none was free") }
        bench.leave()
        #expect(bench.gate.tryEnter())
    }

    @Test func `who leaves the line is not called, and whose turn it was cannot leave`() {
        let bench = Bench(1)
        _ = bench.gate.tryEnter()
        for name in ["a", "b", "c"] { bench.enter(name) }
        #expect(bench.gate.leave(bench.tickets["b"]!, because: .gone))
        #expect(!bench.gate.leave(bench.tickets["b"]!, because: .gone))
        bench.leave()
        #expect(!bench.gate.leave(bench.tickets["a"]!, because: .timeout))
        bench.leave()
        // The place of one who has gone is another's now.
        bench.enter("d")
        #expect(!bench.gate.leave(bench.tickets["a"]!, because: .timeout) && bench.gate.waiting == 1)
        bench.leave()
        #expect(bench.admitted == ["a", "c", "d"])
        #expect(bench.gate.snapshot.counts.gone == 1 && bench.gate.snapshot.counts.timedOut == 0)
    }

    @Test func `a higher limit lets those in who wait; a lower one nobody until enough have gone`() {
        let bench = Bench(1)
        _ = bench.gate.tryEnter()
        for name in ["a", "b", "c"] { bench.enter(name) }
        bench.gate.adopt(ConcurrencyGate.Settings(limit: 3, queueMax: 10))
        #expect(bench.admitted == ["a", "b"] && bench.gate.inUse == 3)
        bench.gate.adopt(ConcurrencyGate.Settings(limit: 1, queueMax: 10))
        bench.leave()
        bench.leave()
        #expect(bench.admitted == ["a", "b"] && bench.gate.inUse == 1 && bench.gate.waiting == 1)
        bench.leave()
        #expect(bench.admitted == ["a", "b", "c"] && bench.gate.inUse == 1)
    }

    @Test func `how long the next would wait follows from how long slots are held`() {
        let gate = ConcurrencyGate(GateID(.provider, "p"), ConcurrencyGate.Settings(limit: 2, queueMax: 10))
        #expect(gate.expectedWait == .seconds(1))
        for _ in 0..<3 {
            _ = gate.tryEnter()
            gate.exit(heldFor: .seconds(20))
        }
        // 20 s for two slots: one each 10 s.
        #expect(gate.expectedWait == .seconds(10))
        _ = gate.tryEnter() && gate.tryEnter()
        for _ in 0..<10 { _ = gate.enter(rank: 0, at: Self.start) { _ in } }
        #expect(gate.expectedWait == .seconds(60))
    }

    @Test func `a slot is given back once, also when it is forgotten`() {
        let gate = ConcurrencyGate(GateID(.model, "m"), ConcurrencyGate.Settings(limit: 5))
        var slot: GateSlot?
        _ = gate.tryEnter()
        slot = GateSlot(of: gate, since: Self.start)
        slot?.release(at: Self.start)
        slot?.release(at: Self.start)
        slot = nil
        #expect(gate.inUse == 0)
        _ = gate.tryEnter()
        slot = GateSlot(of: gate, since: Self.start)
        #expect(gate.inUse == 1 && slot != nil)
        slot = nil
        #expect(gate.inUse == 0)
    }
}

@Suite struct `Gates by name` {
    @Test func `a gate outlives its configuration as long as somebody is in it`() throws {
        let table = GateTable()
        let id = GateID(.model, "m")
        let policy = ConcurrencyPolicy(settings: [id: ConcurrencyGate.Settings(limit: 1, queueMax: 5)], in: table)
        table.adopt(policy)
        let gate = try #require(policy.models["m"])
        let calls = Atomic<Int>(0)
        #expect(gate.tryEnter() && !gate.tryEnter())
        _ = gate.enter(rank: 0, at: Instant(nanoseconds: 0)) { _ in calls.add(1, ordering: .relaxed) }
        table.adopt(nil)
        // There is no limit any more: whoever waited is in.
        #expect(calls.load(ordering: .relaxed) == 1 && gate.inUse == 2)
        let again = ConcurrencyPolicy(settings: [id: ConcurrencyGate.Settings(limit: 2)], in: table)
        table.adopt(again)
        #expect(again.models["m"] === gate && !gate.tryEnter())
        gate.exit(heldFor: nil)
        gate.exit(heldFor: nil)
        table.adopt(nil)
        #expect(table.snapshots.isEmpty)
    }
}
