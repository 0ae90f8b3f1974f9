internal import SluiceCore
internal import SluiceHTTP
internal import SluiceNet

extension UpstreamHTTP1: UpstreamCarrier {
    func send(_ exchange: UpstreamExchange, _ bytes: ByteBuffer) {
        if bytes.isEmpty { return }
        transport.write { queue in
            if isStreamedChunked { queue.write { MessageWriter.chunkHead(bytes.count, into: $0) } }
            queue.append(sharing: bytes)
            if isStreamedChunked { queue.write { MessageWriter.chunkTail(into: $0) } }
        }
    }

    func finishSending(_ exchange: UpstreamExchange) {
        if isStreamedChunked { transport.write { queue in queue.write { MessageWriter.lastChunk(into: $0) } } }
        isRequestSent = true
        sentAt = loop.now
        if let deadlines, !isHeadDone { armFor(sentAt + deadlines.head) }
    }

    func isCongested(_ exchange: UpstreamExchange) -> Bool { transport.isCongested }
    func pause(_ exchange: UpstreamExchange) { transport.pauseReading() }
    func resume(_ exchange: UpstreamExchange) { transport.resumeReading() }

    func cancel(_ exchange: UpstreamExchange) {
        self.exchange = nil
        deadlines = nil
        if webSocket == nil || !isHeadDone || !transport.isOpen { return close() }
        // What was said last, such as that we go, is still sent; a provider that takes nothing is not waited for.
        if let farewell = exchange.farewell { transport.write(farewell.span) }
        armFor(loop.now + Self.farewellPatience)
        transport.closeAfterSending()
    }

    private static let farewellPatience = Duration.milliseconds(50)
}
