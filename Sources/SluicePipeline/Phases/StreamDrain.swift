internal import SluiceCore
internal import SluiceDownstream
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders
internal import SluiceUpstream

/// Reads an answer that nobody wants any more on to its end, within bounds, for the sake of what it says it cost (theme 3.1).
///
/// For providers that go on working, and charge for it, whether anybody reads or not. With others the connection is closed at once.
final class StreamDrain: TimerTarget {
    private let upstream: UpstreamExchange
    private let gate: DrainGate
    private var byteCountLeft: Int
    private var timer: LoopTimer?

    /// The application has gone.
    static func abandoned(_ context: RequestContext) {
        if let lead = AbandonedLead(context) {
            context.abandonedLead = lead
            context.attempt.upstream?.resume()
            return
        }
        if context.stream != nil, context.drain == nil, let upstream = context.attempt.upstream,
            let drain = StreamDrain(context, upstream)
        {
            context.drain = drain
            return upstream.resume()
        }
        context.cancelUpstream(UpstreamError(.cancelled, "the application has gone"))
    }

    private init?(_ context: RequestContext, _ upstream: UpstreamExchange) {
        let settings = context.snapshot.streams
        let gate = context.snapshot.lasting.drains
        guard context.attempt.provider?.drainsAbandoned == true, gate.enter(max: settings.drainsMax) else { return nil }
        self.upstream = upstream
        self.gate = gate
        byteCountLeft = settings.drainByteCountMax
        let timer = LoopTimer(target: self)
        self.timer = timer
        upstream.loop.arm(timer, after: settings.drainTime)
    }

    /// - Returns: whether so many bytes more are still worth their while.
    func takes(_ byteCount: Int) -> Bool {
        byteCountLeft -= byteCount
        return byteCountLeft >= 0
    }

    func timerFired(_ timer: LoopTimer) { upstream.cancel(Self.over) }

    static let over = UpstreamError(.cancelled, "the application has gone, and its answer was too long to be read to its end")

    /// To be called on every way out.
    func end() {
        guard let timer else { return }
        upstream.loop.remove(timer)
        self.timer = nil
        gate.leave()
    }
}
