internal import SluiceCore
internal import SluiceHTTP
internal import SluiceNet

/// One HTTP/1.1 connection to a provider: used by one request after another, never by two at a time.
final class UpstreamHTTP1 {
    private enum State { case idle, leased, closed }

    let transport: Transport
    /// Held strongly: a pool that left the configuration lives until its last connection is closed.
    let pool: ConnectionPool
    let loop: EventLoop
    private let openedAt: Instant
    private var state = State.leased
    private var timer: LoopTimer?
    private var servedCount = 0

    var exchange: UpstreamExchange?
    var deadlines: Deadlines?
    private var method = Method.get
    private var parser = HeadParser()
    var decoder = BodyDecoder(.none)
    var isHeadDone = false
    var isBodyDone = false
    var isRequestSent = false
    var keepsAlive = true
    var isStreamedChunked = false
    private(set) var webSocket: WebSocketHandshake?
    var pending: ByteBuffer?
    var sentAt = Instant(nanoseconds: 0)
    private var sentBefore = 0

    init(transport: Transport, pool: ConnectionPool) {
        self.transport = transport
        self.pool = pool
        loop = transport.loop
        openedAt = loop.now
        transport.delegate = self
        timer = LoopTimer(target: self)
    }

    /// Whether it may be given a request: open, and not too old.
    func isUsable(at now: Instant) -> Bool {
        transport.isOpen && keepsAlive && now - openedAt < pool.endpoint.limits.age
    }

    // MARK: Request

    func send(_ request: UpstreamRequest, deadlines: Deadlines) -> UpstreamExchange {
        let exchange = UpstreamExchange(loop: loop, stream: nil, isOnReusedConnection: servedCount > 0, carrier: self)
        guard transport.isOpen else {
            exchange.failed(
                UpstreamError(.closedBeforeHead, "\(pool.endpoint.host) closed the connection", isUnprocessed: true))
            close()
            return exchange
        }
        self.exchange = exchange
        self.deadlines = deadlines
        state = .leased
        servedCount += 1
        method = request.method
        webSocket = request.webSocket
        isHeadDone = false
        isBodyDone = false
        sentAt = loop.now
        armFor(sentAt + deadlines.head)
        sentBefore = transport.sentByteCount
        write(request, exchange)
        return exchange
    }

    private func write(_ request: UpstreamRequest, _ exchange: UpstreamExchange) {
        let framing = BodyFraming.sending(request.bodyLength, to: .http11)
        let target = request.target
        let host = pool.endpoint.authority
        var refused: MessageWriter.Refused?
        transport.write { queue in
            queue.write { buffer in
                do throws(MessageWriter.Refused) {
                    if let webSocket {
                        return try webSocket.writeRequest(
                            target: target.span, host: host.span, fields: request.fields, into: buffer)
                    }
                    try MessageWriter.request(
                        request.method, target: target.span, host: host.span, fields: request.fields, framing: framing,
                        into: buffer)
                } catch {
                    refused = error
                }
            }
            if refused == nil, case .parts(let parts, _) = request.body {
                for part in parts { queue.append(sharing: part.buffer, part.range) }
            }
        }
        if refused != nil {
            fail(
                UpstreamError(
                    .malformed, "the request's target or the endpoint's host cannot be written", isUnprocessed: true))
        }
        isStreamedChunked = framing == .chunked
        isRequestSent = request.isReplayable
    }

    // MARK: Response

    func process(_ bytes: Span<UInt8>) -> Int {
        var offset = 0
        do throws(MalformedResponse) {
            while !isHeadDone, offset < bytes.count {
                guard try readHead(bytes, &offset) else { return offset }
            }
            if isHeadDone, exchange != nil, !isBodyDone { try readBody(bytes, &offset) }
        } catch {
            fail(UpstreamError(.malformed, "\(pool.endpoint.host) answered with what is not HTTP: \(error.message)"))
            return bytes.count
        }
        if isBodyDone { finish(leftover: bytes.count - offset) }
        return bytes.count
    }

    private func readHead(_ bytes: Span<UInt8>, _ offset: inout Int) throws(MalformedResponse) -> Bool {
        guard let (head, version, byteCount) = try parser.response(in: bytes.extracting(offset...)) else {
            return false
        }
        offset += byteCount
        if head.status == 101 {
            try switchProtocols(head)
            return true
        }
        if head.status.isInformational { return true }
        isHeadDone = true
        let framing = try BodyFraming.response(head, version: version, to: method)
        keepsAlive = head.fields.keepsConnection(version) && framing != .untilClose
        decoder = BodyDecoder(framing)
        if let deadlines { armFor(loop.now + deadlines.idle) }
        exchange?.headReceived(head)
        return true
    }

    /// The response grants the WebSocket that was asked for: what follows are frames, to the end of the connection.
    private func switchProtocols(_ head: ResponseHead) throws(MalformedResponse) {
        guard let webSocket, (try? webSocket.check(head)) != nil else { throw .framing(.malformedCoding) }
        isHeadDone = true
        keepsAlive = false
        decoder = BodyDecoder(.untilClose)
        if let deadlines { armFor(loop.now + deadlines.idle) }
        exchange?.headReceived(head)
    }

    private func readBody(_ bytes: Span<UInt8>, _ offset: inout Int) throws(MalformedResponse) {
        do throws(BodyError) {
            while let event = try decoder.next(in: bytes, at: &offset) {
                switch event {
                case .bytes(let range): exchange?.bodyReceived(bytes.extracting(range))
                case .end(let trailers):
                    isBodyDone = true
                    finishedTrailers = trailers
                    return
                }
                if exchange == nil { return }
            }
        } catch {
            throw .body(error)
        }
    }

    private var finishedTrailers: HeaderFields?

    func finish(leftover: Int) {
        guard let finished = exchange else { return }
        exchange = nil
        // Bytes after the response belong to nobody: a peer that sends such a thing is not used again. A request that was not
        // sent to its end leaves the connection in the middle of a message.
        if leftover > 0 || !isRequestSent || transport.pendingByteCount > 0 { keepsAlive = false }
        let trailers = finishedTrailers
        finishedTrailers = nil
        deadlines = nil
        if keepsAlive {
            state = .idle
            transport.resumeReading()
            armFor(loop.now + pool.endpoint.limits.idle)
            finished.ended(trailers: trailers)
            pool.released(self)
        } else {
            finished.ended(trailers: trailers)
            close()
        }
    }

    // MARK: Ends

    func fail(_ error: UpstreamError) {
        let failed = exchange
        exchange = nil
        close()
        failed?.failed(error)
    }

    func close() {
        if state == .closed { return }
        let wasIdle = state == .idle
        state = .closed
        if let timer { loop.remove(timer) }
        timer = nil
        transport.close()
        pending = nil
        if wasIdle { pool.idleClosed(self) }
        pool.connectionClosed()
    }

    /// The connection ended before the response did.
    ///
    /// - Parameters:
    ///   - early: the reason if the response had not begun.
    ///   - isUnprocessed: surely nothing of the request was read.
    func broke(_ detail: String, early: UpstreamError.Reason = .closedBeforeHead, isUnprocessed: Bool) {
        guard exchange != nil else { return close() }
        if isHeadDone {
            return fail(UpstreamError(.closedInBody, "\(pool.endpoint.host) \(detail) within its response"))
        }
        fail(UpstreamError(early, "\(pool.endpoint.host) \(detail) before it answered", isUnprocessed: isUnprocessed))
    }

    /// An orderly end acknowledges all that the peer has read: it came before the request if that is not acknowledged.
    var isUnacknowledged: Bool {
        Socket.acknowledgedByteCount(transport.fd).map { $0 <= UInt64(sentBefore) + 1 } ?? false
    }

    /// A reset acknowledges nothing, and what was read may be acknowledged up to 40 ms late. It was on its way before the request,
    /// and nothing was done about that, if the system took no byte of the request, or if it came back as quickly as it could.
    var wasReset: Bool {
        if transport.sentByteCount == sentBefore { return true }
        guard isUnacknowledged, let roundTrip = Socket.roundTripTime(transport.fd) else { return false }
        return loop.now - sentAt <= roundTrip + Self.resetPatience
    }

    /// No provider begins and breaks anything of weight in this time.
    private static let resetPatience = Duration.milliseconds(10)

    func armFor(_ deadline: Instant) {
        guard let timer else { return }
        let bounded = deadlines.map { min(deadline, $0.total) } ?? deadline
        if timer.deadline > bounded { timer.disarm() }
        loop.arm(timer, at: bounded)
    }
}
