internal import SluiceCore
internal import SluiceHTTP
internal import SluiceNet

/// One HTTP/1.1 connection of an application: one request at a time, pipelined ones wait their turn (RFC 9112 §9.3).
final class DownstreamHTTP1: DownstreamConnection {
    private enum State {
        /// Between requests; the first bytes of the next one may be there.
        case waiting
        /// A request is being served.
        case serving
        /// The response is out, the request is not read to its end: what comes is thrown away for a while (RFC 9112 §9.6).
        case lingering
        case closed
    }

    let transport: Transport
    private let registry: ConnectionRegistry
    private let peer: Peer
    private var state = State.waiting
    private var parser: HeadParser
    /// What was received and not worked through: part of a head, or pipelined requests.
    private var pending: ByteBuffer?
    private var timer: LoopTimer?
    /// The head's time counts from its first byte, however it drips.
    private var isHeadBegun = false

    private var exchange: DownstreamExchange?
    private var decoder = BodyDecoder(.none)
    private var isBodyDone = true
    private var isReceivingInPlace = false
    private var inPlaceByteCount = 0
    private var bodyBy = Instant.distantFuture
    /// The application may not send on for the moment, and so cannot be late.
    private var isBodyPaused = false
    private var bodyResumedAt = Instant(nanoseconds: 0)
    private var expectsContinue = false
    private var version = HTTPVersion.http11
    private var keepsAlive = true
    private var isHead = false
    private var framing = BodyFraming.none
    private var lingeredByteCount = 0
    private var hasServed = false

    /// Bytes of following requests that are kept while one is served.
    private static let pipelinedByteCountMax = 65_536
    /// What an application may go on sending of a request that is answered already: most send everything before they read.
    private static let lingerByteCountMax = 64 << 20
    private static let lingerTime = Duration.seconds(2)
    /// How long a connection that was never used is kept when no new ones are taken.
    private static let drainPatience = Duration.seconds(1)

    init(transport: Transport, registry: ConnectionRegistry, peer: Peer) {
        self.transport = transport
        self.registry = registry
        self.peer = peer
        parser = HeadParser(limits: registry.configuration.head)
    }

    /// Starts to serve, after the connection has entered the registry, which it leaves when it closes.
    ///
    /// - Parameter received: bytes that came before the protocol was known.
    func start(received: Span<UInt8>) {
        unsafe transport.delegate = self
        timer = LoopTimer(target: self)
        arm(after: registry.configuration.headTimeout)
        if !received.isEmpty { transportReceived(received) }
    }

    var isIdle: Bool {
        if case .waiting = state { return pending == nil && transport.pendingByteCount == 0 }
        return false
    }
    private var isClosed: Bool { if case .closed = state { true } else { false } }

    // MARK: Requests

    /// Works through received bytes as far as they go, and returns how many are done with.
    private func process(_ bytes: Span<UInt8>) -> Int {
        var offset = 0
        while offset < bytes.count {
            switch state {
            case .waiting:
                if isHeldUp { return offset }
                guard let taken = readHead(bytes.extracting(offset...)) else { return offset }
                offset += taken
            case .serving:
                if isBodyDone { return offset }
                readBody(bytes, &offset)
            case .lingering, .closed: return bytes.count
            }
        }
        return offset
    }

    /// - Returns: how long the head was; `nil` if it is not complete or was refused.
    private func readHead(_ bytes: Span<UInt8>) -> Int? {
        do throws(HeadError) {
            guard let (head, byteCount) = try parser.request(in: bytes) else { return nil }
            return begin(head) ? byteCount : nil
        } catch {
            refuse(error.status, error.message)
            return nil
        }
    }

    private func begin(_ head: consuming RequestHead) -> Bool {
        let framing: BodyFraming
        do throws(FramingError) {
            framing = try BodyFraming.request(head)
        } catch {
            refuse(error.status, error.message)
            return false
        }
        version = head.version
        isHead = head.method == .head
        keepsAlive = head.fields.keepsConnection(head.version) && !registry.isDraining
        expectsContinue = false
        if let expect = head.fields.index(of: .expect), version == .http11 {
            guard ASCII.equalsIgnoringCase(head.fields.value(at: expect), "100-continue") else {
                refuse(417, "The only expectation that is understood is 100-continue.")
                return false
            }
            expectsContinue = true
        }
        serve(head, framing)
        return true
    }

    private func serve(_ head: consuming RequestHead, _ framing: BodyFraming) {
        let exchange = DownstreamExchange(
            head: head, bodyLength: framing == .known(0) ? .none : framing.length, peer: peer, loop: registry.loop, stream: nil,
            carrier: self)
        self.exchange = exchange
        state = .serving
        hasServed = true
        isHeadBegun = false
        isBodyDone = exchange.isBodyComplete
        if !isBodyDone {
            decoder = BodyDecoder(framing, limits: registry.configuration.head)
            bodyBy = registry.loop.now + registry.configuration.bodyTotal
            isBodyPaused = false
            bodyResumedAt = registry.loop.now
            arm(after: min(registry.configuration.bodyStall, registry.configuration.bodyTotal))
        }
        registry.start(exchange)
    }

    private func readBody(_ bytes: Span<UInt8>, _ offset: inout Int) {
        guard let exchange else { return }
        do throws(BodyError) {
            while let event = try decoder.next(in: bytes, at: &offset) {
                switch event {
                case .bytes(let range): exchange.bodyReceived(bytes.extracting(range))
                case .end:
                    isBodyDone = true
                    return exchange.bodyEnded()
                }
            }
        } catch {
            // Where the next request begins is unknown now.
            keepsAlive = false
            isBodyDone = true
            exchange.bodyFailed(.bodyMalformed("\(error.message)"))
        }
    }

    /// Answers what is no request, and closes: where the next one would begin is unknown.
    private func refuse(_ status: Status, _ message: StaticString) {
        registry.protocolError(ProtocolError(peer: peer.address, status: status, message: "\(message)"))
        let date = registry.date()
        transport.write { queue in
            queue.write { ProtocolErrorReply.write(status, message, date: date, to: $0) }
        }
        isBodyDone = false
        end()
    }

    // MARK: Ends

    private func responseDone() {
        exchange = nil
        if isClosed { return }
        if !keepsAlive || !isBodyDone { return end() }
        state = .waiting
        arm(after: registry.configuration.idle)
        goOn()
    }

    /// Whether the application takes no answers: the next requests wait until it does, or one that only sends would fill the
    /// memory with answers.
    private var isHeldUp: Bool { transport.isCongested }

    /// Takes up the requests that wait for their turn.
    private func goOn() {
        if pending != nil { processPending() }
        if case .waiting = state, pending == nil || !isHeldUp { transport.resumeReading() }
    }

    private func processPending() {
        guard let buffer = pending else { return }
        pending = nil
        let taken = process(buffer.span)
        if isClosed { return }
        buffer.consume(taken)
        if !buffer.isEmpty { keep(buffer) }
    }

    private func keep(_ buffer: ByteBuffer) {
        pending = buffer
        if case .waiting = state, isHeldUp { return transport.pauseReading() }
        if case .waiting = state, !isHeadBegun {
            isHeadBegun = true
            arm(after: registry.configuration.headTimeout)
        }
        if case .serving = state, buffer.count >= Self.pipelinedByteCountMax { transport.pauseReading() }
    }

    /// Closes when the rest is sent; with a request that was not read to its end, only after a moment of reading on, since closing
    /// with unread bytes would reset the connection and destroy what was sent.
    private func end() {
        if isClosed { return }
        exchange = nil
        if isBodyDone, pending == nil {
            state = .lingering
            arm(after: registry.configuration.stall)
            return transport.closeAfterSending()
        }
        pending = nil
        state = .lingering
        transport.stopReceivingInPlace()
        transport.endSending()
        transport.resumeReading()
        arm(after: Self.lingerTime)
    }

    func close() {
        if isClosed { return }
        state = .closed
        pending = nil
        if let timer { registry.loop.remove(timer) }
        timer = nil
        transport.close()
        registry.leave(self)
        let abandoned = exchange
        exchange = nil
        abandoned?.abandoned()
    }

    func drain() {
        keepsAlive = false
        guard case .waiting = state, pending == nil else { return }
        // The first request may be on its way.
        if !hasServed { return arm(after: Self.drainPatience) }
        // A request that is here is served, and the connection ends with its response: closing now would reset it.
        if transport.hasUnread { return }
        if transport.pendingByteCount > 0 { end() } else { close() }
    }

    private func arm(after duration: Duration) {
        guard let timer else { return }
        // A shorter wait than the one that runs must not be hidden behind it.
        let deadline = registry.loop.now + duration
        if timer.deadline > deadline { timer.disarm() }
        registry.loop.arm(timer, at: deadline)
    }
}

// MARK: - From the transport

extension DownstreamHTTP1: TransportDelegate {
    func transportReceived(_ bytes: Span<UInt8>) {
        if case .lingering = state {
            lingeredByteCount += bytes.count
            if lingeredByteCount > Self.lingerByteCountMax { close() }
            return
        }
        if let pending {
            pending.append(bytes)
            return processPending()
        }
        let taken = process(bytes)
        if taken < bytes.count, !isClosed { keep(ByteBuffer(copying: bytes.extracting(taken...))) }
    }

    func transportFilled() {
        isReceivingInPlace = false
        exchange?.bodyReceivedInPlace(byteCount: inPlaceByteCount)
        isBodyDone = true
        exchange?.bodyEnded()
    }

    func transportEnded() {
        switch state {
        case .waiting, .lingering: close()
        case .serving:
            // An application that has closed its side is not there any more to read the reply.
            close()
        case .closed: break
        }
    }

    func transportFailed(_ error: TransportError) { close() }

    func transportDrained() {
        if case .waiting = state { return goOn() }
        exchange?.downstreamDrained()
    }

    func transportClosed() { close() }
}

extension DownstreamHTTP1: TimerTarget {
    func timerFired(_ timer: LoopTimer) {
        let now = registry.loop.now
        switch state {
        case .waiting where pending == nil || isHeldUp:
            let by = transport.lastProgress + registry.configuration.stall
            if transport.pendingByteCount == 0 || now >= by { return close() }
            registry.loop.arm(timer, at: by)
        case .waiting:
            refuse(408, "The request's header fields did not arrive in time.")
        case .lingering:
            // What is still to be sent has the time that any response has.
            let by = transport.lastProgress + registry.configuration.stall
            if transport.pendingByteCount == 0 || now >= by { return close() }
            registry.loop.arm(timer, at: min(by, now + Self.lingerTime))
        case .serving where !isBodyDone:
            let by = min(bodyBy, bodyProgress + registry.configuration.bodyStall)
            if now < by { return registry.loop.arm(timer, at: by) }
            keepsAlive = false
            exchange?.bodyFailed(.bodyTimeout)
        case .serving:
            if transport.pendingByteCount == 0 { return }
            let by = transport.lastProgress + registry.configuration.stall
            if now < by { return registry.loop.arm(timer, at: by) }
            exchange?.abandoned(.stalled)
            close()
        case .closed: break
        }
    }
}

// MARK: - From the exchange

extension DownstreamHTTP1: ExchangeCarrier {
    func wantBody(_ exchange: DownstreamExchange) {
        if expectsContinue {
            expectsContinue = false
            if exchange.receivedByteCount == 0 { transport.write { queue in queue.write { MessageWriter.continue(into: $0) } } }
        }
        if isBodyPaused {
            isBodyPaused = false
            bodyResumedAt = registry.loop.now
        }
        transport.resumeReading()
    }

    func pauseBody(_ exchange: DownstreamExchange) {
        isBodyPaused = true
        transport.pauseReading()
    }

    /// When the application last sent of its body, or could not have.
    private var bodyProgress: Instant {
        isBodyPaused ? registry.loop.now : max(transport.lastProgress, bodyResumedAt)
    }

    func receiveBody(_ exchange: DownstreamExchange, into buffer: ByteBuffer) {
        guard case .known(let byteCount) = exchange.bodyLength, !isReceivingInPlace, pending == nil else { return }
        inPlaceByteCount = byteCount - exchange.receivedByteCount
        if inPlaceByteCount <= 0 { return }
        isReceivingInPlace = true
        transport.receive(into: buffer, exactly: inPlaceByteCount)
    }

    func sendInformational(_ exchange: DownstreamExchange, _ status: Status) {
        if version != .http11 { return }
        transport.write { queue in
            queue.write {
                MessageWriter.response(ResponseHead(status), framing: nil, to: .http11, keepsConnection: true, into: $0)
            }
        }
    }

    func sendHead(_ exchange: DownstreamExchange, _ head: ResponseHead, body: BodyLength) {
        framing = isHead || head.status.hasNoBody ? .none : BodyFraming.sending(body, to: version)
        if framing == .untilClose || !isBodyDone || registry.isDraining { keepsAlive = false }
        let written: BodyFraming? = isHead && body == .unknown ? nil : isHead ? BodyFraming.sending(body, to: version) : framing
        let date = registry.date()
        transport.write { queue in
            queue.write {
                MessageWriter.response(
                    head, framing: written, to: version, keepsConnection: keepsAlive, date: date, into: $0)
            }
        }
    }

    func send(_ exchange: DownstreamExchange, _ bytes: Span<UInt8>) {
        if bytes.isEmpty || isHead { return }
        switch framing {
        case .chunked:
            transport.write { queue in
                queue.write { buffer in
                    buffer.reserve(bytes.count + 16)
                    MessageWriter.chunkHead(bytes.count, into: buffer)
                    buffer.append(bytes)
                    MessageWriter.chunkTail(into: buffer)
                }
            }
        case .known, .untilClose: transport.write(bytes)
        case .none: return
        }
        watchForStall()
    }

    func send(_ exchange: DownstreamExchange, sharing buffer: ByteBuffer) {
        if buffer.isEmpty || isHead { return }
        switch framing {
        case .chunked:
            transport.write { queue in
                queue.write { MessageWriter.chunkHead(buffer.count, into: $0) }
                queue.append(sharing: buffer)
                queue.write { MessageWriter.chunkTail(into: $0) }
            }
        case .known, .untilClose: transport.write { $0.append(sharing: buffer) }
        case .none: return
        }
        watchForStall()
    }

    func sendVerbatim(_ exchange: DownstreamExchange, _ bytes: Span<UInt8>) { transport.write(bytes) }

    private func watchForStall() {
        if let timer, isBodyDone { registry.loop.arm(timer, at: registry.loop.now + registry.configuration.stall) }
    }

    func finish(_ exchange: DownstreamExchange, trailers: HeaderFields?) {
        if framing == .chunked, !isHead {
            transport.write { queue in
                queue.write { buffer in
                    if let trailers {
                        MessageWriter.lastChunk(trailers: trailers, into: buffer)
                    } else {
                        MessageWriter.lastChunk(into: buffer)
                    }
                }
            }
        }
        responseDone()
    }

    func abort(_ exchange: DownstreamExchange) {
        if isClosed { return }
        self.exchange = nil
        transport.abort()
        close()
    }

    /// That the last chunk, or the rest of the length, is missing tells that the message was cut.
    func abortAfterSending(_ exchange: DownstreamExchange) {
        if isClosed { return }
        self.exchange = nil
        keepsAlive = false
        isBodyDone = true
        pending = nil
        end()
    }

    func isCongested(_ exchange: DownstreamExchange) -> Bool { transport.isCongested }
}
