internal import SluiceCore
internal import SluiceHTTP
internal import SluiceNet

/// One HTTP/1.1 connection of an application: one request at a time, pipelined ones wait their turn (RFC 9112 §9.3).
final class DownstreamHTTP1: DownstreamConnection {
    enum State {
        /// Between requests; the first bytes of the next one may be there.
        case waiting
        /// A request is being served.
        case serving
        /// The connection speaks another protocol now; its bytes go to the exchange that upgraded it.
        case upgraded
        /// The response is out, the request is not read to its end: what comes is thrown away for a while (RFC 9112 §9.6).
        case lingering
        case closed
    }

    let transport: Transport
    let registry: ConnectionRegistry
    private let peer: Peer
    var state = State.waiting
    private var parser: HeadParser
    /// What was received and not worked through: part of a head, or pipelined requests.
    var pending: ByteBuffer?
    var timer: LoopTimer?
    /// The head's time counts from its first byte, however it drips.
    private var isHeadBegun = false

    var exchange: DownstreamExchange?
    private var decoder = BodyDecoder(.none)
    var isBodyDone = true
    var isReceivingInPlace = false
    var inPlaceByteCount = 0
    var bodyBy = Instant.distantFuture
    /// The application may not send on for the moment, and so cannot be late.
    var isBodyPaused = false
    var bodyResumedAt = Instant(nanoseconds: 0)
    var expectsContinue = false
    var version = HTTPVersion.http11
    var keepsAlive = true
    var isHead = false
    var framing = BodyFraming.none
    var lingeredByteCount = 0
    private var hasServed = false

    /// Bytes of following requests that are kept while one is served.
    private static let pipelinedByteCountMax = 65_536
    /// What an application may go on sending of a request that is answered already: most send everything before they read.
    static let lingerByteCountMax = 64 << 20
    static let lingerTime = Duration.seconds(2)
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
        transport.delegate = self
        timer = LoopTimer(target: self)
        arm(after: registry.configuration.headTimeout)
        if !received.isEmpty { transportReceived(received) }
    }

    var isIdle: Bool {
        if case .waiting = state { return pending == nil && transport.pendingByteCount == 0 }
        return false
    }
    var isClosed: Bool { if case .closed = state { true } else { false } }

    // MARK: Requests

    /// Works through received bytes as far as they go, and returns how many are done with.
    func process(_ bytes: Span<UInt8>) -> Int {
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
            case .upgraded:
                exchange?.upgradedBytesReceived(bytes.extracting(offset...))
                return bytes.count
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
            head: head, bodyLength: framing == .known(0) ? .none : framing.length, peer: peer, loop: registry.loop,
            stream: nil,
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
    func refuse(_ status: Status, _ message: StaticString) {
        registry.protocolError(ProtocolError(peer: peer.address, status: status, message: "\(message)"))
        let date = registry.date()
        transport.write { queue in
            queue.write { ProtocolErrorReply.write(status, message, date: date, to: $0) }
        }
        isBodyDone = false
        end()
    }

    // MARK: Ends

    func responseDone() {
        exchange = nil
        if isClosed { return }
        if !keepsAlive || !isBodyDone { return end() }
        state = .waiting
        arm(after: registry.configuration.idle)
        goOn()
    }

    /// Whether the application takes no answers: the next requests wait until it does, or one that only sends would fill the
    /// memory with answers.
    var isHeldUp: Bool { transport.isCongested }

    /// Takes up the requests that wait for their turn.
    func goOn() {
        if pending != nil { processPending() }
        if case .waiting = state, pending == nil || !isHeldUp { transport.resumeReading() }
    }

    func processPending() {
        guard let buffer = pending else { return }
        pending = nil
        let taken = process(buffer.span)
        if isClosed { return }
        buffer.consume(taken)
        if !buffer.isEmpty { keep(buffer) }
    }

    func keep(_ buffer: ByteBuffer) {
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
    func end() {
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
