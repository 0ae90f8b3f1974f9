internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet

/// Comments that are sent into the silence of a stream, so that nothing between here and the application takes it for dead.
final class KeepAliveComments: TimerTarget {
    private let exchange: DownstreamExchange
    private let silence: Duration
    private let sendHead: () -> Void
    private var timer: LoopTimer?
    /// When something was last sent.
    var lastSent: Instant

    /// - Parameters:
    ///   - silence: how long; zero: no comments.
    ///   - sendHead: called before the first comment of a response that has not begun.
    init(_ exchange: DownstreamExchange, after silence: Duration, sendHead: @escaping () -> Void) {
        self.exchange = exchange
        self.silence = silence
        self.sendHead = sendHead
        lastSent = exchange.loop.now
        if silence == .zero { return }
        let timer = LoopTimer(target: self)
        self.timer = timer
        exchange.loop.arm(timer, after: silence)
    }

    /// To be called on every way out.
    func stop() {
        if let timer { exchange.loop.remove(timer) }
        timer = nil
    }

    func timerFired(_ timer: LoopTimer) {
        let now = exchange.loop.now
        if now < lastSent + silence { return exchange.loop.arm(timer, at: lastSent + silence) }
        // Not to an application that takes nothing: what it has not read yet will do.
        if !exchange.isCongested, !exchange.isAbandoned {
            let comment = ByteBuffer(capacity: 32)
            EventWriter.keepAlive(into: comment)
            if !exchange.isHeadSent { sendHead() }
            lastSent = now
            exchange.send(comment.span)
        }
        exchange.loop.arm(timer, at: now + silence)
    }
}
