internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet

/// Sends a comment into a stream that has been silent for a while, or the event that the application's dialect has for it, so that
/// nobody on the way takes the stream for dead.
final class StreamKeepAlive: TimerTarget {
    private let exchange: DownstreamExchange
    private let silence: Duration
    private let isPing: Bool
    /// Sends the response's head if it has not gone out yet.
    private let open: () -> Void
    private var timer: LoopTimer?
    private var lastSent: Instant

    /// - Parameter silence: zero for no comments.
    init(_ context: RequestContext, after silence: Duration, open: @escaping () -> Void) {
        exchange = context.exchange
        isPing = context.dialect == .anthropic
        self.silence = silence
        self.open = open
        lastSent = exchange.loop.now
        if silence == .zero { return }
        let timer = LoopTimer(target: self)
        self.timer = timer
        exchange.loop.arm(timer, after: silence)
    }

    /// Something was sent: the silence begins anew.
    func noteSent() { lastSent = exchange.loop.now }

    func timerFired(_ timer: LoopTimer) {
        let now = exchange.loop.now
        if now < lastSent + silence { return exchange.loop.arm(timer, at: lastSent + silence) }
        if !exchange.isCongested, !exchange.isAbandoned {
            let comment = ByteBuffer(capacity: 48)
            if isPing {
                EventWriter.event("ping", data: #"{"type":"ping"}"#.utf8Span.span, into: comment)
            } else {
                EventWriter.keepAlive(into: comment)
            }
            open()
            exchange.send(comment.span)
        }
        exchange.loop.arm(timer, at: now + silence)
    }

    /// To be called on every way out: the timer holds on to what it watches.
    func stop() {
        if let timer { exchange.loop.remove(timer) }
        timer = nil
    }
}
