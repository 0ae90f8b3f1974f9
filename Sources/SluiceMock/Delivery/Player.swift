internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet

/// Sends one response in its own time, with what is to go wrong, and notices when the other side leaves.
///
/// A state machine on the loop and not a task: a stream that is silent for ever costs this object and nothing else.
final class Player: TimerTarget, EventHandler {
    private enum Phase { case waiting, drippingHead, playing, blocked, cutting, stalled, keptAlive, over }

    private let exchange: DownstreamExchange
    private let ledger: Ledger
    private let admission: Ledger.Admission
    private let head: ResponseHead
    private let fault: Fault?
    private let dripsHead: Bool
    private let pacing: Pacing
    /// Between two keep-alives; `nil` if there are none.
    private let keepAliveGap: Duration?
    private var isKeepAliveDue = false
    private var script: Script?
    private var next = 0
    private var phase = Phase.waiting
    private var timer: LoopTimer?
    private var clock: Pacing.Clock
    /// The head's bytes, where they are written one by one, and the time between two writes.
    private var drip: ByteBuffer?
    private var dripGap = Duration.zero
    /// Whether the body is framed here, after a head that was written byte by byte.
    private var framesBody = false

    private static let dripByteCount = 16
    /// A receiver may throw away what comes together with the reset of its HTTP/2 stream: it gets a moment to read.
    private static let resetPause = Duration.milliseconds(50)
    /// How long a head or a body drips, about.
    static let dripTime = Duration.seconds(1)
    private static let keepAliveGapMin = Duration.milliseconds(1)

    init(
        _ exchange: DownstreamExchange, _ script: Script, head: ResponseHead, _ behaviour: Behaviour, _ pacing: Pacing,
        ledger: Ledger, _ admission: Ledger.Admission
    ) {
        self.exchange = exchange
        self.script = script
        self.head = head
        self.ledger = ledger
        self.admission = admission
        self.pacing = pacing
        fault = behaviour.fault
        keepAliveGap = behaviour.comments.map { max($0, Self.keepAliveGapMin) }
        dripsHead = behaviour.defects.contains(.slowHead)
        clock = Pacing.Clock(seed: behaviour.seed &+ UInt64(truncatingIfNeeded: admission.number))
    }

    /// - Parameter latency: before the head.
    func start(after latency: Duration) {
        if exchange.isAbandoned { return abandoned() }
        exchange.onAbandoned = { [self] in abandoned() }
        exchange.onDrained = { [self] in drained() }
        if latency == .zero { answer() } else { arm(exchange.loop.now + latency) }
    }

    // MARK: The head

    private func answer() {
        switch fault {
        case .silence: phase = .stalled
        case .reset:
            leave()
            exchange.abort()
        case .close:
            leave()
            exchange.abortAfterSending()
        case .garbage:
            leave()
            exchange.sendVerbatim(Array("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n".utf8).span)
            exchange.abortAfterSending()
        default: sendHead()
        }
    }

    private func sendHead() {
        // In HTTP/2 a head is one frame: it cannot drip, only be late.
        if dripsHead, exchange.stream == nil {
            let bytes = VerbatimHead.bytes(head, script)
            drip = bytes
            dripGap = Self.dripTime / max(bytes.count / Self.dripByteCount, 1)
            framesBody = script?.announcedByteCount == nil
            phase = .drippingHead
            return dripHead()
        }
        if dripsHead, phase == .waiting {
            phase = .drippingHead
            return arm(exchange.loop.now + Self.dripTime)
        }
        // Of an upgraded connection the head is out.
        if !exchange.isHeadSent {
            exchange.sendHead(head, body: script?.announcedByteCount.map { .known($0) } ?? .unknown)
        }
        phase = .playing
        play()
    }

    private func dripHead() {
        guard let drip else { return sendHead() }
        let count = min(Self.dripByteCount, drip.count)
        exchange.sendVerbatim(drip.span.extracting(0..<count))
        drip.consume(count)
        if drip.isEmpty {
            self.drip = nil
            phase = .playing
            return play()
        }
        arm(exchange.loop.now + dripGap)
    }

    // MARK: The body

    private func play() {
        while phase == .playing, let script {
            if next == script.count { return finish(script.end) }
            if script.content.contains(next), let due = clock.due(pacing, at: exchange.loop.now) {
                return wait(for: due)
            }
            send(script.buffer.span.extracting(script.range(of: next)))
            if script.content.contains(next) { clock.sent(pacing) }
            next += 1
            if exchange.isCongested {
                phase = .blocked
                return
            }
            if pacing.pace != .burst, next < script.count { return exchange.loop.resumeLater(self) }
        }
    }

    /// Waits for the next piece; before the first one keep-alives may come.
    private func wait(for due: Instant) {
        guard let keepAliveGap, next == script?.content.lowerBound else { return arm(due) }
        let next = exchange.loop.now + keepAliveGap
        isKeepAliveDue = next < due
        arm(min(next, due))
    }

    private func keepAlive() {
        guard let script, !exchange.isCongested else { return }
        if !script.keepAlive.isEmpty { send(script.keepAlive.span) }
    }

    private func send(_ bytes: Span<UInt8>) {
        if drip == nil, dripsHead, exchange.stream == nil {
            VerbatimHead.send(bytes, framed: framesBody, on: exchange)
        } else {
            exchange.send(bytes)
        }
    }

    private func finish(_ end: Script.End) {
        switch end {
        case .stalled:
            phase = .stalled
            script = nil
        case .keptAlive:
            phase = .keptAlive
            stayAlive()
        case .cut:
            phase = .cutting
            if exchange.stream == nil { cut() } else { arm(exchange.loop.now + Self.resetPause) }
        case .proper:
            leave()
            if framesBody { VerbatimHead.end(on: exchange) }
            exchange.finish()
        }
    }

    private func cut() {
        leave()
        exchange.abortAfterSending()
    }

    // MARK: Events

    func timerFired(_ timer: LoopTimer) {
        switch phase {
        case .waiting: answer()
        case .drippingHead: dripHead()
        case .playing:
            if isKeepAliveDue { keepAlive() }
            isKeepAliveDue = false
            play()
        case .cutting: cut()
        case .keptAlive: stayAlive()
        case .blocked, .stalled, .over: break
        }
    }

    /// Nothing else comes any more.
    private func stayAlive() {
        keepAlive()
        if let keepAliveGap { arm(exchange.loop.now + keepAliveGap) }
    }

    /// The next turn of the loop.
    func ready(_ readiness: Readiness) { if phase == .playing { play() } }

    private func drained() {
        guard phase == .blocked else { return }
        phase = .playing
        play()
    }

    private func abandoned() {
        if phase == .over { return }
        ledger.leave(admission, .cancelled(after: exchange.loop.now - exchange.startedAt))
        end()
    }

    private func leave() {
        let status = exchange.isHeadSent ? head.status : nil
        ledger.leave(admission, fault.map { .failed($0.name, status) } ?? .answered(head.status))
        end()
    }

    private func end() {
        phase = .over
        script = nil
        if let timer { exchange.loop.remove(timer) }
        timer = nil
    }

    private func arm(_ due: Instant) {
        let timer = timer ?? LoopTimer(target: self)
        self.timer = timer
        timer.disarm()
        exchange.loop.arm(timer, at: due)
    }
}
