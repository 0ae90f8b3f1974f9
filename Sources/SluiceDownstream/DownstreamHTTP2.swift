internal import SluiceCore
internal import SluiceHTTP
internal import SluiceNet

/// One HTTP/2 connection of an application and its exchanges (RFC 9113).
final class DownstreamHTTP2: DownstreamConnection, Flushable {
    struct Stream {
        let exchange: DownstreamExchange
        /// Received bytes whose window is given back when somebody wants more.
        var heldBack = 0
        var isWanted = false
        var bodyBy: Instant
        var bodyProgress: Instant
        var unsentByteCount = 0
        var sendProgress: Instant
    }

    let transport: Transport
    let registry: ConnectionRegistry
    private let peer: Peer
    let session: HTTP2Session
    var streams: [StreamID: Stream] = [:]
    private var timer: LoopTimer?
    /// Streams to be reset once what they were given has been sent.
    var cut: [StreamID] = []
    private var isFlushAsked = false
    var isClosed = false
    private var lastUse: Instant
    /// When the peer is told which streams were the last, at the latest.
    private var drainedBy: Instant?

    /// With more than this waiting for the socket, no more frames are made: what waits in the session can still be dropped.
    private static let queuedByteCountMax = 65_536
    /// How often open streams are looked at for their deadlines.
    private static let lookEvery = Duration.milliseconds(500)
    /// How long a connection without streams is kept when no new ones are taken: until its peer has heard of it.
    private static let drainPatience = Duration.seconds(1)

    init(transport: Transport, registry: ConnectionRegistry, peer: Peer) throws(HTTP2Error) {
        self.transport = transport
        self.registry = registry
        self.peer = peer
        lastUse = registry.loop.now
        session = try HTTP2Session(role: .server, limits: registry.configuration.http2)
    }

    func start(received: Span<UInt8>) {
        transport.delegate = self
        let timer = LoopTimer(target: self)
        self.timer = timer
        registry.loop.arm(timer, after: min(registry.configuration.headTimeout, registry.configuration.idle))
        if received.isEmpty { flushLater() } else { transportReceived(received) }
        if registry.isDraining { drain() }
    }

    var isIdle: Bool { streams.isEmpty }

    // MARK: Sending

    func flushLater() {
        if isFlushAsked || isClosed { return }
        isFlushAsked = true
        registry.loop.flushLater(self)
    }

    /// Puts the frames of all streams in one write.
    func flush() {
        isFlushAsked = false
        if isClosed { return }
        transport.write { queue in session.flush(into: queue, upTo: Self.queuedByteCountMax, for: self) }
        if !cut.isEmpty { resetSent() }
        if session.isFinished { end() }
    }

    /// Resets the streams whose last bytes are on their way: they end, but not properly.
    private func resetSent() {
        for stream in cut where session.outboundByteCount(of: stream) == 0 { session.reset(stream, .internalError) }
        cut.removeAll { session.outboundByteCount(of: $0) == 0 }
        transport.write { queue in session.flush(into: queue, upTo: Self.queuedByteCountMax, for: self) }
    }

    // MARK: Ends

    private func end() {
        if isClosed || isEnding { return }
        isEnding = true
        if let timer { rearm(timer, after: registry.configuration.stall) }
        transport.closeAfterSending()
    }

    private var isEnding = false

    /// Takes no new streams once the peer knows: it has a round trip's time to hear of it (RFC 9113 §6.8), which the session
    /// measures with a ping, and a second if it does not answer that.
    func drain() {
        if isClosed { return }
        session.drain()
        lastUse = registry.loop.now
        drainedBy = lastUse + Self.drainPatience
        if streams.isEmpty, let timer { rearm(timer, after: Self.drainPatience) }
        flushLater()
    }

    func close() {
        if isClosed { return }
        isClosed = true
        if let timer { registry.loop.remove(timer) }
        timer = nil
        transport.close()
        registry.leave(self)
        let abandoned = streams
        streams = [:]
        for stream in abandoned.values { stream.exchange.abandoned() }
    }

    /// A fault of the whole connection: what the session has to say is still sent.
    private func fail(_ error: HTTP2Error) {
        registry.protocolError(ProtocolError(peer: peer.address, status: 400, message: "HTTP/2: \(error.label)"))
        flush()
        transport.flush()
        close()
    }
}

extension DownstreamHTTP2: TransportDelegate {
    func transportReceived(_ bytes: Span<UInt8>) {
        if isEnding { return }
        do throws(HTTP2Error) {
            let hadHead = session.headBeganAt != nil
            try session.receive(bytes, at: registry.loop.now, for: self)
            if !hadHead, session.headBeganAt != nil, streams.isEmpty { watchHead() }
            if session.wantsToSend || session.isFinished { flushLater() }
        } catch {
            fail(error)
        }
    }

    /// A head has its time as over HTTP/1.1, however it drips; with streams open the timer looks at it anyway.
    private func watchHead() {
        if let timer { rearm(timer, after: registry.configuration.headTimeout) }
    }

    func transportEnded() { close() }
    func transportFailed(_ error: TransportError) { close() }
    func transportDrained() { flushLater() }
    func transportClosed() { close() }
}

extension DownstreamHTTP2: HTTP2SessionDelegate {
    func received(request head: consuming RequestHead, on stream: StreamID, isEnd: Bool) {
        let length: BodyLength
        if isEnd {
            length = .none
        } else if let index = head.fields.index(of: .contentLength),
            let count = ASCII.decimal(head.fields.value(at: index))
        {
            length = .known(count)
        } else {
            length = .unknown
        }
        let now = registry.loop.now
        let exchange = DownstreamExchange(
            head: head, bodyLength: length, peer: peer, loop: registry.loop, stream: stream, carrier: self)
        streams[stream] = Stream(
            exchange: exchange, bodyBy: now + registry.configuration.bodyTotal, bodyProgress: now, sendProgress: now)
        lastUse = now
        if streams.count == 1, let timer { rearm(timer, after: Self.lookEvery) }
        registry.start(exchange)
    }

    func received(body bytes: Span<UInt8>, on stream: StreamID) {
        guard let known = streams[stream] else { return session.consumed(bytes.count, on: stream) }
        streams[stream]?.bodyProgress = registry.loop.now
        streams[stream]?.heldBack += bytes.count
        known.exchange.bodyReceived(bytes)
        if known.exchange.isFinished || known.exchange.downstreamFailure != nil || known.isWanted { giveBack(stream) }
    }

    func giveBack(_ stream: StreamID) {
        guard let held = streams[stream]?.heldBack, held > 0 else { return }
        streams[stream]?.heldBack = 0
        session.consumed(held, on: stream)
        flushLater()
    }

    func ended(_ stream: StreamID, trailers: consuming HeaderFields?) { streams[stream]?.exchange.bodyEnded() }

    func refused(_ stream: StreamID, _ refusal: HTTP2Refusal) {
        registry.protocolError(
            ProtocolError(peer: peer.address, status: refusal.status, message: "HTTP/2: request refused"))
        let body = ProtocolErrorReply.body(refusal.status, "The request's header fields are not acceptable.")
        var fields = HeaderFields()
        fields.append(.contentType, "application/json")
        session.respond(stream, ResponseHead(refusal.status, fields: fields), body: .known(body.count))
        session.send(body.span, on: stream)
        session.finish(stream)
        flushLater()
    }

    func canSendMore(on stream: StreamID) { streams[stream]?.exchange.downstreamDrained() }

    func closed(_ stream: StreamID, _ code: HTTP2ErrorCode) {
        lastUse = registry.loop.now
        streams.removeValue(forKey: stream)?.exchange.abandoned()
    }
}

extension DownstreamHTTP2: TimerTarget {
    func timerFired(_ timer: LoopTimer) {
        let now = registry.loop.now
        if isEnding {
            let by = transport.lastProgress + registry.configuration.stall
            return transport.pendingByteCount == 0 || now >= by ? close() : registry.loop.arm(timer, at: by)
        }
        if let began = session.headBeganAt {
            let by = began + registry.configuration.headTimeout
            if now >= by { return refuseHead() }
            if streams.isEmpty { return registry.loop.arm(timer, at: by) }
        }
        if streams.isEmpty {
            let by = lastUse + (registry.isDraining ? Self.drainPatience : registry.configuration.idle)
            if now < by { return registry.loop.arm(timer, at: by) }
            session.drain()
            session.drain()
            flush()
            return end()
        }
        if let by = drainedBy, now >= by {
            drainedBy = nil
            session.drain()
            flushLater()
        }
        for (stream, state) in streams { look(at: stream, state, now) }
        rearm(timer, after: Self.lookEvery)
    }

    /// The header block that does not come to its end blocks every other stream too (RFC 9113 §4.3): the connection goes.
    private func refuseHead() {
        registry.protocolError(
            ProtocolError(peer: peer.address, status: 408, message: "HTTP/2: a request's head did not arrive in time"))
        session.drain()
        session.drain()
        flush()
        transport.flush()
        close()
    }

    private func look(at stream: StreamID, _ state: Stream, _ now: Instant) {
        if !state.exchange.isBodyComplete, state.isWanted {
            if now >= min(state.bodyBy, state.bodyProgress + registry.configuration.bodyStall) {
                state.exchange.bodyFailed(.bodyTimeout)
            }
        }
        let unsent = session.outboundByteCount(of: stream)
        if unsent == 0 || unsent != state.unsentByteCount {
            streams[stream]?.unsentByteCount = unsent
            streams[stream]?.sendProgress = now
        } else if now >= state.sendProgress + registry.configuration.stall {
            state.exchange.abandoned(.stalled)
            session.reset(stream, .cancel)
            flushLater()
        }
    }

    private func rearm(_ timer: LoopTimer, after duration: Duration) {
        timer.disarm()
        registry.loop.arm(timer, after: duration)
    }
}
