internal import SluiceConfig
internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet
internal import SluicePolicy
internal import SluiceUpstream

/// Watches the silences of a stream: sends a comment into one that has been silent for a while, or the event that the application's
/// dialect has for it, so that nobody on the way takes the stream for dead; and ends one whose provider shows signs of life, but says
/// nothing.
final class StreamWatch: TimerTarget {
    private let exchange: DownstreamExchange
    private let upstream: UpstreamExchange
    private let silence: Duration
    /// To the first content, and from one to the next; zero: never.
    private let firstToken: Duration
    private let gap: Duration
    private let isPing: Bool
    /// Sends the response's head if it has not gone out yet.
    private let open: () -> Void
    private let late: (UpstreamError) -> Void
    private var timer: LoopTimer?
    private var lastSent: Instant
    private var lastContent: Instant
    private var hasContent = false
    /// Counts the time from one content to the next.
    var chunkTimes: HistogramCell?

    init(
        _ context: RequestContext, _ upstream: UpstreamExchange, open: @escaping () -> Void,
        late: @escaping (UpstreamError) -> Void
    ) {
        exchange = context.exchange
        self.upstream = upstream
        isPing = context.dialect == .anthropic
        silence = context.snapshot.timeouts.keepaliveComment
        firstToken = context.timeouts.firstToken
        gap = context.timeouts.streamGap
        self.open = open
        self.late = late
        let now = exchange.loop.now
        lastSent = now
        lastContent = context.attempt.sentUpstreamAt ?? now
        if silence == .zero, firstToken == .zero, gap == .zero { return }
        let timer = LoopTimer(target: self)
        self.timer = timer
        arm(timer)
    }

    /// Something was sent: the silence begins anew.
    func noteSent() { lastSent = exchange.loop.now }

    /// The provider has said something.
    func noteContent() {
        let now = exchange.loop.now
        if hasContent { chunkTimes?.observe(Int((now - lastContent).nanoseconds)) }
        lastContent = now
        hasContent = true
    }

    func timerFired(_ timer: LoopTimer) {
        let now = exchange.loop.now
        // Who is held back cannot say anything.
        if exchange.isCongested { lastContent = now }
        if let by = lateBy, now >= by { return late(lateness) }
        if silence != .zero, now >= lastSent + silence {
            if !exchange.isCongested, !exchange.isAbandoned { sendComment() }
            lastSent = now
        }
        arm(timer)
    }

    private func arm(_ timer: LoopTimer) {
        var next = lateBy ?? .distantFuture
        if silence != .zero { next = min(next, lastSent + silence) }
        if next != .distantFuture { exchange.loop.arm(timer, at: next) }
    }

    private var lateBy: Instant? {
        let limit = hasContent ? gap : firstToken
        return limit == .zero ? nil : lastContent + limit
    }

    private var lateness: UpstreamError {
        hasContent
            ? UpstreamError(.idleTimeout, "it said nothing for \(Int(gap.milliseconds)) ms within its answer")
            : UpstreamError(.headTimeout, "it did not begin its answer within \(Int(firstToken.milliseconds)) ms")
    }

    private func sendComment() {
        let comment = ByteBuffer(capacity: 48)
        if isPing {
            EventWriter.event("ping", data: #"{"type":"ping"}"#.utf8Span.span, into: comment)
        } else {
            EventWriter.keepAlive(into: comment)
        }
        open()
        exchange.send(comment.span)
    }

    /// To be called on every way out: the timer holds on to what it watches.
    func stop() {
        if let timer { exchange.loop.remove(timer) }
        timer = nil
    }
}
