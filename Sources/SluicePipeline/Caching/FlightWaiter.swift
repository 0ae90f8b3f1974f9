internal import SluiceCore
internal import SluiceDownstream
package import SluiceNet
package import SluicePolicy
package import SluiceStorage

/// One exchange that waits on its loop for an answer that another has asked for.
///
/// `@unchecked Sendable`: everything but the loop is used on the loop alone; `tell` gets there through the loop's mailbox.
package final class FlightWaiter: FlightMember, TimerTarget, @unchecked Sendable {
    package typealias Answer = CacheEntry
    private let loop: EventLoop
    private var signal = TaskSignal()
    private var verdict: FlightVerdict<CacheEntry>?
    private var isTimeUp = false

    init(_ loop: EventLoop) { self.loop = loop }

    package func tell(_ verdict: FlightVerdict<CacheEntry>) {
        loop.execute { [self] in
            self.verdict = verdict
            signal.give()
        }
    }

    package func timerFired(_ timer: LoopTimer) {
        isTimeUp = true
        signal.give()
    }

    /// - Parameter leave: gives the place up; `false` if a verdict is on its way.
    /// - Returns: `nil` if the wait has been too long, or the application has gone, and nothing is owed to the others.
    func verdict(
        within patience: Duration, _ exchange: DownstreamExchange, leave: () -> Bool
    ) async -> FlightVerdict<CacheEntry>? {
        let timer = LoopTimer(target: self)
        loop.arm(timer, after: patience)
        exchange.onAbandoned = { [self] in signal.give() }
        while verdict == nil, !isTimeUp, !exchange.isAbandoned { await sleep() }
        loop.remove(timer)
        exchange.onAbandoned = nil
        if verdict == nil, leave() { return nil }
        while verdict == nil { await sleep() }
        return verdict
    }

    private func sleep() async { unsafe await withUnsafeContinuation { unsafe signal.wait($0) } }
}
