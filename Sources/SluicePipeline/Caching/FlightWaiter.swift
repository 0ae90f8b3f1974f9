internal import SluiceCore
internal import SluiceDownstream
package import SluiceNet
package import SluicePolicy
package import SluiceStorage
internal import SluiceUpstream

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
        within patience: Duration, _ context: RequestContext, leave: () -> Bool
    ) async -> FlightVerdict<CacheEntry>? {
        let timer = LoopTimer(target: self)
        loop.arm(timer, after: patience)
        context.waiter = self
        while verdict == nil, !isTimeUp, context.ending == nil, !context.exchange.isAbandoned { await sleep() }
        context.waiter = nil
        loop.remove(timer)
        if verdict == nil, leave() { return nil }
        while verdict == nil { await sleep() }
        return verdict
    }

    /// There may be nobody left to wait for.
    func wake() { signal.give() }

    private func sleep() async { unsafe await withUnsafeContinuation { unsafe signal.wait($0) } }
}

extension RequestContext {
    /// Has a wait end when the application goes. `Forwarding` watches anew.
    func watchForAbandonment() {
        exchange.onAbandoned = { [unowned self] in
            cancelUpstream(UpstreamError(.cancelled, "the application has gone"))
        }
    }

    /// - Throws: if there is nobody left to wait for.
    func checkEnding() throws(Rejection) {
        if exchange.isAbandoned { throw .gone }
        if let ending { throw Rejection(ending, provider: "") }
    }
}
