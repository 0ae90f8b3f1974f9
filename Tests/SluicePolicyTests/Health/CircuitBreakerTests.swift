import Foundation
import SluiceCore
import SluicePolicy
import Synchronization
import TestSupport
import Testing

@Suite struct `A circuit breaker` {
    private static let start = Instant(nanoseconds: 1_000_000_000_000)

    /// A breaker with a clock of its own.
    private struct Bench {
        let breaker = CircuitBreaker(seed: 1)
        var settings = BreakerSettings()
        var now = start
        var transitions: [CircuitBreaker.Transition] = []

        /// - Returns: `nil` if it is refused.
        mutating func ask() -> CircuitBreaker.Permit? {
            var transition: CircuitBreaker.Transition?
            let answer = breaker.ask(settings, at: now, &transition)
            if let transition { transitions.append(transition) }
            if case .allowed(let permit) = answer { return permit }
            return nil
        }

        mutating func report(_ outcome: CircuitBreaker.Outcome, _ permit: CircuitBreaker.Permit) {
            if let transition = breaker.record(outcome, permit, settings, at: now) { transitions.append(transition) }
        }

        /// - Returns: whether the attempt was made.
        @discardableResult mutating func attempt(_ outcome: CircuitBreaker.Outcome) -> Bool {
            guard let permit = ask() else { return false }
            report(outcome, permit)
            return true
        }
    }

    @Test func `opens after so many failures in a row, and a success begins the row anew`() {
        var bench = Bench()
        for _ in 0..<4 { bench.attempt(.failure) }
        bench.attempt(.success(took: .zero))
        for _ in 0..<4 { bench.attempt(.failure) }
        #expect(bench.breaker.phase == .closed)
        bench.attempt(.failure)
        #expect(bench.breaker.phase == .open)
        #expect(bench.transitions.map(\.reason) == [.failuresInRow])
        let isRefused = bench.ask() == nil
        #expect(isRefused)
    }

    @Test func `opens at a share of failures, but not before there are enough calls`() {
        var bench = Bench()
        bench.settings.failuresInRow = 0
        for index in 0..<19 { bench.attempt(index % 2 == 0 ? .failure : .success(took: .zero)) }
        #expect(bench.breaker.phase == .closed)
        bench.attempt(.failure)
        #expect(bench.transitions.map(\.reason) == [.failureRate])
    }

    private struct Refused: Error {}

    @Test func `an answer that has begun is what a probe is for, and may still fail`() throws {
        var bench = Bench()
        for _ in 0..<5 { bench.attempt(.failure) }
        bench.now = bench.now + .seconds(2)
        guard var first = bench.ask(), var second = bench.ask() else { throw Refused() }
        #expect(first.isProbe && second.isProbe)
        let transition = bench.breaker.answerBegan(took: .zero, &first, bench.settings, at: bench.now)
        #expect(transition == nil)
        let others = bench.ask()
        #expect(others?.isProbe == true, "its place is free")
        let closed = bench.breaker.answerBegan(took: .zero, &second, bench.settings, at: bench.now)
        #expect(closed?.to == .closed && !first.isProbe && !second.isProbe)
        bench.report(.failure, first)
        bench.report(.failure, second)
        for _ in 0..<4 { bench.attempt(.failure) }
        #expect(bench.breaker.phase == .open, "the second one's failure was of the new time")
    }

    @Test func `failures that are older than the window do not count`() {
        var bench = Bench()
        bench.settings.failuresInRow = 0
        for _ in 0..<19 { bench.attempt(.failure) }
        bench.now = bench.now + .seconds(11)
        for _ in 0..<19 { bench.attempt(.success(took: .zero)) }
        bench.attempt(.failure)
        #expect(bench.breaker.phase == .closed)
    }

    @Test func `opens at a share of slow calls, where slow is something`() {
        var bench = Bench()
        for _ in 0..<40 { bench.attempt(.success(took: .seconds(100))) }
        #expect(bench.breaker.phase == .closed)
        bench.settings.slow = .seconds(10)
        for _ in 0..<200 { bench.attempt(.success(took: .seconds(100))) }
        #expect(bench.transitions.first?.reason == .slowRate)
    }

    @Test func `what says nothing of the target changes nothing`() {
        var bench = Bench()
        for _ in 0..<1000 { bench.attempt(.neutral) }
        #expect(bench.breaker.phase == .closed)
        #expect(bench.breaker.snapshot(bench.settings, at: bench.now).counts.total == 0)
    }

    @Test func `after its wait a few requests try the target, and close it if all succeed`() {
        var bench = Bench()
        for _ in 0..<5 { bench.attempt(.failure) }
        bench.now = bench.now + .seconds(1)
        let probes = [bench.ask(), bench.ask()]
        #expect(bench.breaker.phase == .halfOpen)
        let isRefused = bench.ask() == nil
        #expect(isRefused, "the number of probes is bounded")
        for probe in probes { if let probe { bench.report(.success(took: .zero), probe) } }
        #expect(bench.breaker.phase == .closed)
        #expect(bench.transitions.map(\.to) == [.open, .halfOpen, .closed])
    }

    @Test func `a probe that fails opens it again, for longer each time, up to a bound`() {
        var bench = Bench()
        for _ in 0..<5 { bench.attempt(.failure) }
        var waits: [Duration] = [bench.transitions.last?.wait ?? .zero]
        for _ in 0..<10 {
            bench.now = bench.now + (waits.last ?? .zero)
            let isAsked = bench.attempt(.failure)
            #expect(isAsked)
            waits.append(bench.transitions.last?.wait ?? .zero)
        }
        for (index, wait) in waits.enumerated() {
            let bound = min(Duration.seconds(1 << min(index, 10)), .seconds(60))
            #expect(wait >= bound / 2 && wait <= bound, "\(index): \(wait)")
        }
    }

    @Test func `one that comes and goes waits longer each time, one that was well for long begins anew`() {
        var bench = Bench()
        func fall(_ bench: inout Bench) -> Duration {
            for _ in 0..<5 { bench.attempt(.failure) }
            let wait = bench.transitions.last { $0.to == .open }?.wait ?? .zero
            bench.now = bench.now + wait
            for _ in 0..<2 { bench.attempt(.success(took: .zero)) }
            return wait
        }
        let waits = (0..<5).map { _ in fall(&bench) }
        #expect(waits[4] > .seconds(7))
        bench.now = bench.now + .seconds(120)
        bench.attempt(.success(took: .zero))
        let isShort = fall(&bench) <= .seconds(1)
        #expect(isShort)
    }

    @Test func `what began before a transition says nothing of the time after it`() {
        var bench = Bench()
        let old = (0..<20).compactMap { _ in bench.ask() }
        for _ in 0..<5 { bench.attempt(.failure) }
        bench.now = bench.now + .seconds(1)
        for _ in 0..<2 { bench.attempt(.success(took: .zero)) }
        #expect(bench.breaker.phase == .closed)
        for permit in old { bench.report(.failure, permit) }
        #expect(bench.breaker.phase == .closed)
    }

    @Test func `a probe that says nothing leaves its place to another one`() {
        var bench = Bench()
        for _ in 0..<5 { bench.attempt(.failure) }
        bench.now = bench.now + .seconds(1)
        for _ in 0..<10 {
            let isAsked = bench.attempt(.neutral)
            #expect(isAsked)
        }
        #expect(bench.breaker.phase == .halfOpen)
    }

    @Test func `probes that were lost do not keep it half-open for ever`() {
        var bench = Bench()
        for _ in 0..<5 { bench.attempt(.failure) }
        bench.now = bench.now + .seconds(1)
        _ = (bench.ask(), bench.ask())
        let isRefused = bench.ask() == nil
        #expect(isRefused)
        bench.now = bench.now + .seconds(601)
        let isAsked = bench.ask() != nil
        #expect(isAsked)
    }

    @Test func `hints of others open a closed one, for no longer than its own longest wait`() {
        var bench = Bench()
        let transition = bench.breaker.follow(openFor: .seconds(3600), bench.settings, at: bench.now)
        #expect(transition?.wait == .seconds(60) && transition?.reason == .hint)
        #expect(bench.breaker.follow(openFor: .seconds(1), bench.settings, at: bench.now) == nil)
        bench.now = bench.now + .seconds(60)
        let isAsked = bench.ask() != nil
        #expect(isAsked)
    }

    @Test func `health probes and operators have a say`() {
        var bench = Bench()
        #expect(bench.breaker.foundBad(bench.settings, at: bench.now)?.to == .open)
        #expect(bench.breaker.foundWell()?.to == .halfOpen)
        #expect(bench.breaker.foundWell() == nil)
        #expect(bench.breaker.reset()?.to == .closed)
        #expect(bench.breaker.reset() == nil)
        let isAsked = bench.attempt(.success(took: .zero))
        #expect(isAsked)
    }

    /// Whatever happens in whatever order: open means that nobody is let through, half-open that no more are than there are places.
    @Test func `lets nobody through while it is open, and only so many while it is half-open`() {
        for seed in SplitMix64.seeds(150) {
            var random = SplitMix64(seed)
            var bench = Bench()
            bench.settings.probesMax = Int.random(in: 1...4, using: &random)
            bench.settings.volumeMin = Int.random(in: 1...30, using: &random)
            var out: [CircuitBreaker.Permit] = []
            var until = Self.start
            for _ in 0..<600 {
                bench.now = bench.now + .milliseconds(Int.random(in: 0...150, using: &random))
                let before = bench.transitions.count
                if Bool.random(using: &random) {
                    let wasOpen = bench.breaker.phase == .open
                    if let permit = bench.ask() {
                        if wasOpen { #expect(bench.now >= until, "seed \(seed)") }
                        #expect(bench.breaker.phase != .open, "seed \(seed)")
                        if permit.isProbe {
                            out.append(permit)
                        } else if Bool.random(using: &random) {
                            out.append(permit)
                        }
                    }
                } else if !out.isEmpty {
                    let permit = out.remove(at: Int.random(in: 0..<out.count, using: &random))
                    let outcome: CircuitBreaker.Outcome =
                        switch Int.random(in: 0..<5, using: &random) {
                        case 0, 1: .failure
                        case 2: .neutral
                        default: .success(took: .zero)
                        }
                    bench.report(outcome, permit)
                }
                for transition in bench.transitions[before...] where transition.to == .open {
                    until = bench.now + (transition.wait ?? .zero)
                }
            }
            for (one, next) in zip(bench.transitions, bench.transitions.dropFirst()) {
                #expect(one.to == next.from, "seed \(seed): transitions follow one another")
            }
        }
    }

    @Test func `workers together make each transition once, and no probe too many`() {
        let breaker = CircuitBreaker(seed: 3)
        let settings = BreakerSettings()
        let opened = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<500 {
                var transition: CircuitBreaker.Transition?
                guard case .allowed(let permit) = breaker.ask(settings, at: Self.start, &transition) else { continue }
                if breaker.record(.failure, permit, settings, at: Self.start) != nil {
                    opened.add(1, ordering: .relaxed)
                }
            }
        }
        #expect(opened.load(ordering: .relaxed) == 1)
        let probes = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<100 {
                var transition: CircuitBreaker.Transition?
                if case .allowed = breaker.ask(settings, at: Self.start + .seconds(2), &transition) {
                    probes.add(1, ordering: .relaxed)
                }
            }
        }
        #expect(probes.load(ordering: .relaxed) == settings.probesMax)
    }
}
