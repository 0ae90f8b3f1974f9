internal import SluiceDownstream
internal import SluiceNet
internal import SluicePolicy
internal import SluiceUpstream

/// Goes on with a request whose application has gone, for as long as others wait for its answer: a provider that has begun to work for
/// one of many is not asked again because that one had no patience.
///
/// The exchange has nobody to send to any more; what would have been sent goes by its tap alone. It keeps its deadlines and its place
/// among the exchanges under way.
final class AbandonedLead: TimerTarget {
    /// How soon it is noticed that nobody waits any more, or that there will be no answer to share.
    private static let lookedEvery = Duration.milliseconds(200)
    private unowned let context: RequestContext
    private var timer: LoopTimer?

    /// To be called when the application goes.
    ///
    /// - Returns: `nil` if nobody waits.
    init?(_ context: RequestContext) {
        self.context = context
        if !isOfUse { return nil }
        context.exchange.detach()
        let timer = LoopTimer(target: self)
        self.timer = timer
        context.exchange.loop.arm(timer, after: Self.lookedEvery)
    }

    private var isOfUse: Bool {
        // What is not recorded will not be shared.
        guard let recording = context.recording, !recording.hasGivenUp, context.snapshot.lasting.isLeadFollowed(context) else {
            return false
        }
        return true
    }

    func timerFired(_ timer: LoopTimer) {
        if isOfUse { return context.exchange.loop.arm(timer, after: Self.lookedEvery) }
        end()
        context.cancelUpstream(UpstreamError(.cancelled, "the application has gone, and all who waited with it"))
    }

    /// To be called on every way out.
    func end() {
        guard let timer else { return }
        context.exchange.loop.remove(timer)
        self.timer = nil
    }
}

extension LastingState {
    /// Whether others wait for the answer that an exchange is to bring.
    fileprivate func isLeadFollowed(_ context: RequestContext) -> Bool {
        if let turn = context.cacheTurn, turn.isLeader, let key = turn.key, flights.hasFollowers(key) { return true }
        if let turn = context.idempotentTurn, turn.isLeader { return replyFlights.hasFollowers(turn.key) }
        return false
    }
}

extension RequestContext {
    /// Whether nobody wants the answer any more: the application has gone, and nobody waits beside it.
    var isUnwanted: Bool { exchange.isAbandoned && abandonedLead == nil }
}
