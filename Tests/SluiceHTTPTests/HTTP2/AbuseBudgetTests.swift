import SluiceCore
import SluiceHTTP
import Testing

@Suite struct `HTTP/2 abuse budget` {
    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: 5_000_000_000 + milliseconds * 1_000_000) }

    /// How often a charge said that the budget is spent.
    private func refusals(_ times: Int, _ charge: (Int) -> Bool) -> Int {
        (0..<times).reduce(0) { $0 + (charge($1) ? 1 : 0) }
    }

    @Test func `glitches are forgiven with time, and not below nothing`() {
        var budget = AbuseBudget(limits: HTTP2Limits())
        #expect(refusals(100) { _ in budget.glitch(at: at(0)) } == 0)
        #expect(budget.glitches == 100)
        _ = budget.glitch(at: at(5_000))
        #expect(budget.glitches == 51)
        _ = budget.glitch(at: at(1_000_000))
        #expect(budget.glitches == 1)
    }

    @Test func `a clock that stands still or goes back forgives nothing`() {
        var budget = AbuseBudget(limits: HTTP2Limits())
        #expect(refusals(1_010) { budget.glitch(at: at($0 % 2 == 0 ? 0 : -4_000)) } == 10)
    }

    @Test func `small steps of time forgive as much as one`() {
        var budget = AbuseBudget(limits: HTTP2Limits())
        #expect(refusals(1_000) { _ in budget.glitch(at: at(0)) } == 0)
        #expect(refusals(5_000) { budget.glitch(at: at(Int64($0 + 1) * 100)) } == 0)
    }

    @Test func `resets are counted over a sliding second`() {
        var limits = HTTP2Limits()
        limits.prematureResetsPerSecond = 10
        var budget = AbuseBudget(limits: limits)
        #expect(refusals(10) { budget.prematureReset(at: at(900 + Int64($0))) } == 0)
        #expect(refusals(2) { _ in budget.prematureReset(at: at(1_950)) } > 0)
        var later = AbuseBudget(limits: limits)
        #expect(refusals(10) { later.prematureReset(at: at(Int64($0))) } == 0)
        #expect(refusals(5) { later.prematureReset(at: at(2_600 + Int64($0))) } == 0)
    }

    @Test func `an answered stream makes good for one that was not`() {
        var limits = HTTP2Limits()
        limits.prematureResetCount = 3
        var budget = AbuseBudget(limits: limits)
        let spent = refusals(100) {
            defer { budget.streamCompleted() }
            return budget.prematureReset(at: at(Int64($0) * 1_000))
        }
        #expect(spent == 0)
        #expect(refusals(4) { _ in budget.prematureReset(at: at(1_000_000)) } == 1)
    }

    @Test func `tiny DATA frames forgive nothing`() {
        var budget = AbuseBudget(limits: HTTP2Limits())
        #expect(refusals(50) { _ in budget.glitch(at: at(0)) } == 0)
        budget.sent(dataByteCount: 1)
        budget.received(dataByteCount: 63)
        #expect(budget.glitches == 50)
        budget.sent(dataByteCount: 64)
        budget.received(dataByteCount: 64)
        #expect(budget.glitches == 48)
    }

    @Test func `ten WINDOW_UPDATE frames a DATA frame are no glitch`() {
        var budget = AbuseBudget(limits: HTTP2Limits())
        for _ in 0..<2_000 {
            budget.sent(dataByteCount: 1_000)
            #expect(refusals(10) { _ in budget.windowUpdate(at: at(0)) } == 0)
        }
        #expect(budget.glitches == 0)
    }
}
