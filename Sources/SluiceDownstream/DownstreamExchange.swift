package import SluiceCore
package import SluiceHTTP
package import SluiceNet

/// One request and its reply, whichever version of HTTP carries them.
///
/// Belongs to one loop. The pipeline reads from it and writes to it; the carrier feeds it and is told what to send.
package final class DownstreamExchange {
    package private(set) var head: RequestHead
    package let bodyLength: BodyLength
    package let peer: Peer
    package let loop: EventLoop
    /// The HTTP/2 stream; `nil` for HTTP/1.1.
    package let stream: StreamID?
    /// When the request's head was complete.
    package let startedAt: Instant
    private var carrier: (any ExchangeCarrier)?

    private var inbound: ByteBuffer?
    private var inboundLimit = 0
    private var isCollecting = false
    package private(set) var isBodyComplete: Bool
    private var failure: DownstreamFailure?
    private var bodyProgress = TaskSignal()
    private var roomToSend = TaskSignal()
    package private(set) var receivedByteCount = 0

    package private(set) var isHeadSent = false
    /// Takes what the application sends after an upgrade.
    private var onUpgradedBytes: ((Span<UInt8>) -> Void)?
    package private(set) var isFinished = false
    package private(set) var sentByteCount = 0
    /// Sees the reply go by.
    package var tap: (any ReplyTap)?
    /// Called once, on the loop, when the application has gone while its exchange was under way.
    package var onAbandoned: (() -> Void)?

    /// Above so many bytes that nobody has taken yet a streamed body is paused.
    package static let streamedBodyHighWatermark = 131_072

    package init(
        head: RequestHead, bodyLength: BodyLength, peer: Peer, loop: EventLoop, stream: StreamID?,
        carrier: any ExchangeCarrier
    ) {
        self.head = head
        self.bodyLength = bodyLength
        self.peer = peer
        self.loop = loop
        self.stream = stream
        self.carrier = carrier
        startedAt = loop.now
        isBodyComplete = bodyLength == .none
    }

    /// Whether the application has gone, or takes nothing any more.
    package var isAbandoned: Bool { failure == .gone || failure == .stalled }
    package var downstreamFailure: DownstreamFailure? { failure }

    /// Gives the memory of the request's header fields back, for an exchange that may last long. A request that is still arriving
    /// keeps them.
    package func forgetFields() { if isBodyComplete { head.fields = HeaderFields() } }

    // MARK: Request body

    /// The whole body.
    ///
    /// - Parameter limit: in bytes; a longer one is refused, before it is read if its length was announced.
    package func collectBody(atMost limit: Int) async throws(DownstreamFailure) -> ByteBuffer {
        if case .known(let count) = bodyLength, count > limit { throw .bodyTooLarge(limit: limit) }
        isCollecting = true
        inboundLimit = limit
        if let failure { throw failure }
        if !isBodyComplete {
            if case .known(let count) = bodyLength {
                let buffer = inbound ?? ByteBuffer(capacity: count)
                buffer.reserve(count - receivedByteCount)
                inbound = buffer
                carrier?.receiveBody(self, into: buffer)
            }
            if receivedByteCount > limit { throw .bodyTooLarge(limit: limit) }
            carrier?.wantBody(self)
            while !isBodyComplete { try await waitForBody() }
        }
        let body = inbound ?? ByteBuffer(capacity: 16)
        inbound = nil
        if body.count > limit { throw .bodyTooLarge(limit: limit) }
        return body
    }

    /// The next bytes of the body, or `nil` at its end: for bodies that are passed on as they come.
    package func nextBodyBytes(atMost limit: Int) async throws(DownstreamFailure) -> ByteBuffer? {
        inboundLimit = limit
        if case .known(let count) = bodyLength, count > limit { bodyFailed(.bodyTooLarge(limit: limit)) }
        while true {
            if let failure { throw failure }
            if isFinished { throw .gone }
            if receivedByteCount > limit {
                bodyFailed(.bodyTooLarge(limit: limit))
                continue
            }
            if let buffer = inbound, !buffer.isEmpty {
                inbound = nil
                if !isBodyComplete { carrier?.wantBody(self) }
                return buffer
            }
            if isBodyComplete { return nil }
            carrier?.wantBody(self)
            try await waitForBody()
        }
    }

    private func waitForBody() async throws(DownstreamFailure) {
        unsafe await withUnsafeContinuation { unsafe bodyProgress.wait($0) }
        if let failure { throw failure }
        // Answered before the body was complete: nobody brings the rest.
        if isFinished { throw .gone }
    }

    // MARK: Response

    /// Sends the head of the final response. Only the first is sent.
    package func sendHead(_ head: ResponseHead, body: BodyLength) {
        if isHeadSent || isFinished { return }
        isHeadSent = true
        tap?.began(head)
        carrier?.sendHead(self, head, body: body)
    }

    package func send(_ bytes: Span<UInt8>) {
        if isFinished { return }
        tap?.passed(bytes)
        guard let carrier else { return }
        sentByteCount += bytes.count
        carrier.send(self, bytes)
    }

    /// Sends a buffer that nobody changes any more.
    package func send(sharing buffer: ByteBuffer) {
        if isFinished { return }
        tap?.passed(sharing: buffer)
        guard let carrier else { return }
        sentByteCount += buffer.count
        carrier.send(self, sharing: buffer)
    }

    /// Puts bytes on the connection past everything that makes them HTTP, and counts as the head: for who misbehaves on purpose.
    /// End the exchange with `abortAfterSending()`, or with `finish()` if the bytes were a whole HTTP/1.1 response.
    package func sendVerbatim(_ bytes: Span<UInt8>) {
        if isFinished { return }
        isHeadSent = true
        sentByteCount += bytes.count
        carrier?.sendVerbatim(self, bytes)
    }

    /// Answers with `head`, a 101, after which the connection speaks another protocol (RFC 9110 §7.8): what the
    /// application sends goes to `received` as it comes, and `send` sends bytes as they are. `finish()` closes it.
    ///
    /// - Returns: `false`, and nothing happened, if the exchange is no HTTP/1.1 one, its body is not complete, or it is
    ///   answered.
    package func upgrade(
        _ head: ResponseHead, to newProtocol: StaticString, received: @escaping (Span<UInt8>) -> Void
    ) -> Bool {
        if isHeadSent || isFinished || !isBodyComplete || failure != nil { return false }
        onUpgradedBytes = received
        guard carrier?.upgrade(self, head, to: newProtocol) == true else {
            onUpgradedBytes = nil
            return false
        }
        isHeadSent = true
        return true
    }

    /// Ends the response. The exchange is over.
    package func finish(trailers: HeaderFields? = nil) {
        if isFinished { return }
        isFinished = true
        tap?.completed()
        carrier?.finish(self, trailers: trailers)
        release()
    }

    /// Goes on without the application, which has gone: what is sent from here on goes to the tap alone.
    package func detach() {
        if isAbandoned { carrier = nil }
    }

    /// Ends a response that cannot be completed. The exchange is over.
    package func abort() {
        if isFinished { return }
        isFinished = true
        carrier?.abort(self)
        release()
    }

    /// Sends what is queued, and then ends the response so that its end is not taken for a proper one. The exchange is over.
    package func abortAfterSending() {
        if isFinished { return }
        isFinished = true
        carrier?.abortAfterSending(self)
        release()
    }

    /// Whether more waits to be sent than the application takes: stop until `drained()` returns.
    package var isCongested: Bool { carrier?.isCongested(self) ?? false }

    /// Called once when congestion has ended or the application has gone.
    package var onDrained: (() -> Void)?

    /// Waits until the application has taken what was sent.
    package func drained() async {
        while isCongested, failure == nil, !isFinished {
            unsafe await withUnsafeContinuation { unsafe roomToSend.wait($0) }
        }
    }

    private func release() {
        carrier = nil
        onAbandoned = nil
        onDrained = nil
        onUpgradedBytes = nil
        inbound = nil
        tap = nil
        wakeReader()
        wakeSender()
    }

    // MARK: From the carrier

    /// Bytes of the body arrived.
    package func bodyReceived(_ bytes: Span<UInt8>) {
        if isFinished || failure != nil || bytes.isEmpty { return }
        receivedByteCount += bytes.count
        if isCollecting, receivedByteCount > inboundLimit { return bodyFailed(.bodyTooLarge(limit: inboundLimit)) }
        let buffer: ByteBuffer
        if let inbound {
            buffer = inbound
        } else {
            buffer = ByteBuffer(capacity: bytes.count)
            inbound = buffer
        }
        buffer.append(bytes)
        if isCollecting { return }
        if buffer.count > Self.streamedBodyHighWatermark { carrier?.pauseBody(self) }
        wakeReader()
    }

    /// Bytes of the body arrived in the buffer given to `receiveBody`.
    package func bodyReceivedInPlace(byteCount: Int) { receivedByteCount += byteCount }

    /// Bytes of the protocol that the connection was upgraded to.
    package func upgradedBytesReceived(_ bytes: Span<UInt8>) {
        receivedByteCount += bytes.count
        onUpgradedBytes?(bytes)
    }

    package func bodyEnded() {
        isBodyComplete = true
        wakeReader()
    }

    package func bodyFailed(_ reason: DownstreamFailure) {
        if failure != nil { return }
        failure = reason
        wakeReader()
    }

    /// The application went away, or takes nothing: whatever is under way for it is to stop.
    package func abandoned(_ reason: DownstreamFailure = .gone) {
        if isFinished || isAbandoned { return }
        failure = reason
        wakeReader()
        wakeSender()
        let tellAbandoned = onAbandoned
        let tellDrained = onDrained
        onAbandoned = nil
        onDrained = nil
        onUpgradedBytes = nil
        tellAbandoned?()
        tellDrained?()
    }

    package func downstreamDrained() {
        wakeSender()
        onDrained?()
    }

    private func wakeReader() { bodyProgress.give() }
    private func wakeSender() { roomToSend.give() }
}
