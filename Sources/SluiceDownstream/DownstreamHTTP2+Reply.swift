internal import SluiceCore
internal import SluiceHTTP
internal import SluiceNet

extension DownstreamHTTP2: ExchangeCarrier {
    func wantBody(_ exchange: DownstreamExchange) {
        guard let stream = exchange.stream, let state = streams[stream] else { return }
        if !state.isWanted {
            streams[stream]?.isWanted = true
            streams[stream]?.bodyProgress = registry.loop.now
            if exchange.head.fields.contains(.expect), exchange.receivedByteCount == 0 {
                session.inform(stream, ResponseHead(100))
                flushLater()
            }
        }
        giveBack(stream)
    }

    func pauseBody(_ exchange: DownstreamExchange) {
        if let stream = exchange.stream { streams[stream]?.isWanted = false }
    }

    /// Frames come in one by one: there is nothing to be gained from the buffer.
    func receiveBody(_ exchange: DownstreamExchange, into buffer: ByteBuffer) {}

    func sendInformational(_ exchange: DownstreamExchange, _ status: Status) {
        guard let stream = exchange.stream else { return }
        session.inform(stream, ResponseHead(status))
        flushLater()
    }

    func sendHead(_ exchange: DownstreamExchange, _ head: ResponseHead, body: BodyLength) {
        guard let stream = exchange.stream else { return }
        session.respond(stream, head, body: body)
        flushLater()
    }

    func send(_ exchange: DownstreamExchange, _ bytes: Span<UInt8>) {
        guard let stream = exchange.stream, !bytes.isEmpty else { return }
        session.send(bytes, on: stream)
        flushLater()
    }

    func send(_ exchange: DownstreamExchange, sharing buffer: ByteBuffer) {
        guard let stream = exchange.stream, !buffer.isEmpty else { return }
        session.send(sharing: buffer, 0..<buffer.count, on: stream)
        flushLater()
    }

    func sendVerbatim(_ exchange: DownstreamExchange, _ bytes: Span<UInt8>) { transport.write(bytes) }

    func finish(_ exchange: DownstreamExchange, trailers: HeaderFields?) {
        guard let stream = exchange.stream else { return }
        session.finish(stream, trailers: trailers)
        // The rest of a request that is answered already is taken and thrown away, so that the answer can be read.
        if !exchange.isBodyComplete { giveBack(stream) }
        flushLater()
    }

    func abort(_ exchange: DownstreamExchange) {
        guard let stream = exchange.stream else { return }
        session.reset(stream, .internalError)
        flushLater()
    }

    func abortAfterSending(_ exchange: DownstreamExchange) {
        guard let stream = exchange.stream, streams[stream] != nil else { return }
        cut.append(stream)
        flushLater()
    }

    func isCongested(_ exchange: DownstreamExchange) -> Bool {
        guard let stream = exchange.stream else { return false }
        return session.outboundByteCount(of: stream) >= registry.configuration.streamBufferByteCount
    }
}
