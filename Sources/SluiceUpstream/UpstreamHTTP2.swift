internal import SluiceCore
internal import SluiceHTTP
internal import SluiceNet

/// One HTTP/2 connection to a provider and the exchanges on it (RFC 9113).
final class UpstreamHTTP2: Flushable {
    private struct Stream {
        let exchange: UpstreamExchange
        let deadlines: Deadlines
        var sentAt: Instant
        var isHeadDone = false
        /// Whether our side of the stream ends without our doing anything more.
        var isRequestSent: Bool
        var heldBack = 0
    }

    private let transport: Transport
    /// Held strongly: a pool that left the configuration lives until its last connection is closed.
    private let pool: ConnectionPool
    private let loop: EventLoop
    private let session: HTTP2Session
    private let openedAt: Instant
    private var streams: [StreamID: Stream] = [:]
    private var timer: LoopTimer?
    private var isFlushAsked = false
    private var isClosed = false
    private var hasServed = false
    private var lastUse: Instant

    private static let queuedByteCountMax = 65_536
    private static let streamHighWatermark = 65_536
    /// How often open streams are looked at for their deadlines.
    private static let lookEvery = Duration.milliseconds(100)

    /// - Throws: no memory for a session. The transport is closed then.
    init(transport: Transport, pool: ConnectionPool) throws(UpstreamError) {
        self.transport = transport
        self.pool = pool
        loop = transport.loop
        openedAt = loop.now
        lastUse = loop.now
        do throws(HTTP2Error) {
            session = try HTTP2Session(role: .client, limits: .upstream)
        } catch {
            transport.close()
            throw UpstreamError(.connect, "no HTTP/2 session could be made (\(error.label))", isUnprocessed: true)
        }
        transport.delegate = self
        let timer = LoopTimer(target: self)
        self.timer = timer
        loop.arm(timer, after: pool.endpoint.limits.idle)
        flushLater()
    }

    /// Whether another request would be sent at once.
    var canOpenStream: Bool {
        !isClosed && transport.isOpen && loop.now - openedAt < pool.endpoint.limits.age && session.canOpenStream
    }

    /// Opens a stream with the request; `nil` if the connection takes no more, and another one is to be asked.
    func send(_ request: UpstreamRequest, deadlines: Deadlines) -> UpstreamExchange? {
        if isClosed { return nil }
        if !transport.isOpen {
            close()
            return nil
        }
        let head = RequestHead(
            version: .http2, method: request.method, target: request.target, authority: pool.endpoint.authority,
            fields: request.fields)
        let stream: StreamID
        do throws(HTTP2SubmitError) {
            stream = try session.submitRequest(
                head, scheme: pool.endpoint.isTLS ? "https" : "http", body: request.bodyLength)
        } catch {
            return nil
        }
        let exchange = UpstreamExchange(loop: loop, stream: stream, isOnReusedConnection: hasServed, carrier: self)
        hasServed = true
        streams[stream] = Stream(
            exchange: exchange, deadlines: deadlines, sentAt: loop.now, isRequestSent: request.isReplayable)
        if case .parts(let parts, let byteCount) = request.body, byteCount > 0 {
            for part in parts { session.send(sharing: part.buffer, part.range, on: stream) }
            session.finish(stream)
        }
        if streams.count == 1, let timer {
            timer.disarm()
            loop.arm(timer, after: Self.lookEvery)
        }
        flushLater()
        return exchange
    }

    private func flushLater() {
        if isFlushAsked || isClosed { return }
        isFlushAsked = true
        loop.flushLater(self)
    }

    func flush() {
        isFlushAsked = false
        if isClosed { return }
        transport.write { queue in session.flush(into: queue, upTo: Self.queuedByteCountMax, for: self) }
        if session.isFinished, streams.isEmpty { close() }
    }

    /// Takes no new requests and closes when the open ones are done.
    func drain() {
        session.drain()
        if streams.isEmpty { close() } else { flushLater() }
    }

    private func close() {
        if isClosed { return }
        isClosed = true
        if let timer { loop.remove(timer) }
        timer = nil
        transport.close()
        pool.http2Closed(self)
    }

    /// - Parameter early: the reason for those that have no response yet.
    private func broke(_ detail: String, early: UpstreamError.Reason = .closedBeforeHead) {
        if isClosed { return }
        session.connectionLost(for: LostStreams(self, detail, early))
        close()
    }

    private func fail(_ stream: StreamID, _ error: UpstreamError) {
        guard let state = streams.removeValue(forKey: stream) else { return }
        session.reset(stream, .cancel)
        flushLater()
        state.exchange.failed(error)
    }

    /// Tells each exchange why its stream ended when the connection broke.
    private final class LostStreams: HTTP2SessionDelegate {
        let connection: UpstreamHTTP2
        let detail: String
        let early: UpstreamError.Reason
        init(_ connection: UpstreamHTTP2, _ detail: String, _ early: UpstreamError.Reason) {
            self.connection = connection
            self.detail = detail
            self.early = early
        }
        func received(body bytes: Span<UInt8>, on stream: StreamID) {}
        func ended(_ stream: StreamID, trailers: consuming HeaderFields?) {}
        func refused(_ stream: StreamID, _ refusal: HTTP2Refusal) {}
        func closed(_ stream: StreamID, _ code: HTTP2ErrorCode) {
            connection.streamEnded(stream, detail, early: early, isUnprocessed: code == .refusedStream)
        }
    }

    private func streamEnded(
        _ stream: StreamID, _ detail: String, early: UpstreamError.Reason = .closedBeforeHead, isUnprocessed: Bool
    ) {
        guard let state = streams.removeValue(forKey: stream) else { return }
        let reason = state.isHeadDone ? .closedInBody : early
        state.exchange.failed(UpstreamError(reason, "\(pool.endpoint.host) \(detail)", isUnprocessed: isUnprocessed))
    }
}

extension UpstreamHTTP2: TransportDelegate {
    func transportReceived(_ bytes: Span<UInt8>) {
        do throws(HTTP2Error) {
            try session.receive(bytes, at: loop.now, for: self)
            if session.wantsToSend || session.isFinished { flushLater() }
        } catch {
            flush()
            transport.flush()
            broke("broke the rules of HTTP/2 (\(error.label))")
        }
    }

    func transportEnded() { broke("closed the connection") }
    func transportFailed(_ error: TransportError) {
        broke("broke the connection (\(error.text))", early: error.reasonBeforeHead)
    }
    func transportDrained() { flushLater() }
}

extension UpstreamHTTP2: HTTP2SessionDelegate {
    func received(response head: consuming ResponseHead, on stream: StreamID, isEnd: Bool) {
        guard let state = streams[stream] else { return }
        streams[stream]?.isHeadDone = true
        state.exchange.headReceived(head)
        if isEnd { complete(stream, trailers: nil) }
    }

    func received(body bytes: Span<UInt8>, on stream: StreamID) {
        guard let state = streams[stream] else {
            session.consumed(bytes.count, on: stream)
            return
        }
        state.exchange.bodyReceived(bytes)
        if state.exchange.isPaused {
            streams[stream]?.heldBack += bytes.count
        } else {
            session.consumed(bytes.count, on: stream)
        }
    }

    func ended(_ stream: StreamID, trailers: consuming HeaderFields?) { complete(stream, trailers: trailers) }

    private func complete(_ stream: StreamID, trailers: HeaderFields?) {
        guard let state = streams.removeValue(forKey: stream) else { return }
        lastUse = loop.now
        // Answered before it was all sent: the rest is not wanted, and the stream would stay half open (RFC 9113 §8.1).
        if !state.isRequestSent {
            session.reset(stream, .noError)
            flushLater()
        }
        state.exchange.ended(trailers: trailers)
    }

    func refused(_ stream: StreamID, _ refusal: HTTP2Refusal) {
        fail(stream, UpstreamError(.malformed, "\(pool.endpoint.host) answered with fields that are not acceptable"))
    }

    func canSendMore(on stream: StreamID) { streams[stream]?.exchange.drained() }

    func closed(_ stream: StreamID, _ code: HTTP2ErrorCode) {
        streamEnded(stream, "reset the stream (\(code))", isUnprocessed: code == .refusedStream)
        pool.streamFreed()
    }

    func goAway(after lastStream: Int32, _ code: HTTP2ErrorCode) { flushLater() }
}

extension UpstreamHTTP2: TimerTarget {
    func timerFired(_ timer: LoopTimer) {
        if streams.isEmpty {
            let by = lastUse + pool.endpoint.limits.idle
            if loop.now < by { return loop.arm(timer, at: by) }
            return close()
        }
        for (stream, state) in streams {
            if let error = expired(state) { fail(stream, error) }
        }
        loop.arm(timer, after: Self.lookEvery)
    }

    private func expired(_ state: Stream) -> UpstreamError? {
        let now = loop.now
        let host = pool.endpoint.host
        if now >= state.deadlines.total {
            return UpstreamError(.totalTimeout, "the exchange with \(host) took longer than it may")
        }
        if !state.isHeadDone {
            if now < state.sentAt + state.deadlines.head { return nil }
            return UpstreamError(
                .headTimeout, "\(host) did not answer within \(Int(state.deadlines.head.milliseconds)) ms")
        }
        if state.exchange.isPaused || now < state.exchange.lastProgress + state.deadlines.idle { return nil }
        return UpstreamError(
            .idleTimeout, "\(host) sent nothing for \(Int(state.deadlines.idle.milliseconds)) ms within its response")
    }
}

extension UpstreamHTTP2: UpstreamCarrier {
    func send(_ exchange: UpstreamExchange, _ bytes: ByteBuffer) {
        guard let stream = exchange.stream, !bytes.isEmpty else { return }
        streams[stream]?.sentAt = loop.now
        session.send(sharing: bytes, 0..<bytes.count, on: stream)
        flushLater()
    }

    func finishSending(_ exchange: UpstreamExchange) {
        guard let stream = exchange.stream else { return }
        session.finish(stream)
        streams[stream]?.sentAt = loop.now
        streams[stream]?.isRequestSent = true
        flushLater()
    }

    func isCongested(_ exchange: UpstreamExchange) -> Bool {
        guard let stream = exchange.stream else { return false }
        return session.outboundByteCount(of: stream) >= Self.streamHighWatermark
    }

    /// The window is not given back: the provider stops when it is used up.
    func pause(_ exchange: UpstreamExchange) {}

    func resume(_ exchange: UpstreamExchange) {
        guard let stream = exchange.stream, let held = streams[stream]?.heldBack, held > 0 else { return }
        streams[stream]?.heldBack = 0
        session.consumed(held, on: stream)
        flushLater()
    }

    func cancel(_ exchange: UpstreamExchange) {
        guard let stream = exchange.stream, streams.removeValue(forKey: stream) != nil else { return }
        session.reset(stream, .cancel)
        flushLater()
    }
}
