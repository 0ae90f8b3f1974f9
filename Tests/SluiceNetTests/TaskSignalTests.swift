import NetTestSupport
import SluiceCore
import Testing

@testable import SluiceNet

@Suite struct `Task signals` {
    /// What one task waits for and another gives.
    private final class Shared {
        var signal = TaskSignal()
        var count = 0
    }

    @Test func `one that is given before the wait ends the wait at once`() async throws {
        try await onLoop { _ in
            let shared = Shared()
            shared.signal.give()
            unsafe await withUnsafeContinuation { unsafe shared.signal.wait($0) }
        }
    }

    @Test func `one that is given during the wait ends it`() async throws {
        try await onLoop { test in
            let shared = Shared()
            test.loop.spawn {
                shared.count = 1
                shared.signal.give()
            }
            while shared.count == 0 { unsafe await withUnsafeContinuation { unsafe shared.signal.wait($0) } }
            #expect(shared.count == 1)
        }
    }

    @Test func `several before a wait count as one, and none is left over`() async throws {
        try await onLoop { test in
            let shared = Shared()
            for _ in 0..<5 { shared.signal.give() }
            unsafe await withUnsafeContinuation { unsafe shared.signal.wait($0) }
            test.loop.spawn {
                shared.count = 1
                shared.signal.give()
            }
            unsafe await withUnsafeContinuation { unsafe shared.signal.wait($0) }
            #expect(shared.count == 1, "the second wait ended without a signal")
        }
    }

    @Test func `of very many, each given whenever it may, none is lost`() async throws {
        try await onLoop { test in
            let there = Shared()
            let back = Shared()
            let rounds = 20_000
            test.loop.spawn {
                for round in 1...rounds {
                    while there.count < round { unsafe await withUnsafeContinuation { unsafe there.signal.wait($0) } }
                    back.count = round
                    back.signal.give()
                }
            }
            var random = SplitMix64(1)
            for round in 1...rounds {
                // Another task may run in between, or not: the signal comes before the wait or during it.
                if random.next() & 1 == 0 { await Task.yield() }
                there.count = round
                there.signal.give()
                while back.count < round { unsafe await withUnsafeContinuation { unsafe back.signal.wait($0) } }
            }
            #expect(back.count == rounds)
        }
    }

    @Test func `a waiter keeps the first value, whoever came first`() async throws {
        try await onLoop { test in
            let early = Waiter<Int>()
            early.fulfil(1)
            early.fulfil(2)
            #expect(early.isFulfilled)
            #expect(await early.wait() == 1)
            #expect(!early.isFulfilled, "it is empty again")
            let late = Waiter<Int>()
            test.loop.spawn {
                late.fulfil(3)
                late.fulfil(4)
            }
            #expect(await late.wait() == 3)
        }
    }
}
