package import SluiceCore
package import SluiceHTTP
package import SluiceNet

/// Takes a response's body as it arrives, on the loop, without a task being resumed.
package protocol BodySink: AnyObject {
    /// The bytes are gone after the call.
    func received(_ bytes: Span<UInt8>)
}

/// What carries exchanges to a provider: an HTTP/1.1 connection, or an HTTP/2 connection's streams.
protocol UpstreamCarrier: AnyObject {
    func send(_ exchange: UpstreamExchange, _ bytes: ByteBuffer)
    func finishSending(_ exchange: UpstreamExchange)
    func isCongested(_ exchange: UpstreamExchange) -> Bool
    /// Stop reading, or go on: back-pressure on the provider.
    func pause(_ exchange: UpstreamExchange)
    func resume(_ exchange: UpstreamExchange)
    /// Nobody wants the answer any more.
    func cancel(_ exchange: UpstreamExchange)
}

/// One request on one upstream connection, and its response.
package final class UpstreamExchange {
    package let loop: EventLoop
    /// Whether the connection had served a request before: its peer may have closed it in the meantime.
    package let isOnReusedConnection: Bool
    let stream: StreamID?
    private var carrier: (any UpstreamCarrier)?

    private var head: ResponseHead?
    private var isEnded = false
    private var failure: UpstreamError?
    private var early: ByteBuffer?
    private var sink: (any BodySink)?
    private var onEnd: ((UpstreamError?) -> Void)?
    private var collectLimit = -1
    private(set) var isPaused = false
    private var isPatienceOver = false
    private var progress = TaskSignal()
    private var roomToSend = TaskSignal()
    package private(set) var trailers: HeaderFields?
    package private(set) var receivedByteCount = 0
    /// When bytes of the response last arrived.
    package private(set) var lastProgress: Instant
    /// What is said to the provider when the exchange is cancelled, where a protocol has a word for it.
    package var farewell: ByteBuffer?

    /// Bytes kept for a response whose body nobody reads yet; then the provider is paused.
    private static let earlyByteCount = 65_536

    init(loop: EventLoop, stream: StreamID?, isOnReusedConnection: Bool, carrier: any UpstreamCarrier) {
        self.loop = loop
        self.stream = stream
        self.isOnReusedConnection = isOnReusedConnection
        self.carrier = carrier
        lastProgress = loop.now
    }

    // MARK: For the pipeline

    /// Waits for the head of the final response, and hands it over: it is not kept here.
    package func responseHead() async throws(UpstreamError) -> ResponseHead {
        while true {
            if let head {
                self.head = nil
                return head
            }
            if let failure { throw failure }
            await waitForProgress()
        }
    }

    /// The same, but for no longer than that: `nil` if it has not come by then.
    package func responseHead(within patience: Duration) async throws(UpstreamError) -> ResponseHead? {
        isPatienceOver = false
        let timer = LoopTimer(target: self)
        loop.arm(timer, after: patience)
        defer { loop.remove(timer) }
        while true {
            if let head {
                self.head = nil
                return head
            }
            if let failure { throw failure }
            if isPatienceOver { return nil }
            await waitForProgress()
        }
    }

    /// The whole body, or `nil` once it has grown over `limit` bytes; it can then still be relayed.
    package func collect(atMost limit: Int) async throws(UpstreamError) -> ByteBuffer? {
        collectLimit = limit
        defer { collectLimit = -1 }
        if isPaused { resumeFromPause() }
        while true {
            if let early, early.count > limit { return nil }
            if isEnded {
                defer { early = nil }
                return early ?? ByteBuffer(capacity: 16)
            }
            if let failure { throw failure }
            await waitForProgress()
        }
    }

    /// Gives the body to `sink` as it arrives, and returns at its end.
    package func relay(to sink: any BodySink) async throws(UpstreamError) {
        // What waited comes first; the sink may find that it is too much already.
        if isPaused { resumeFromPause() }
        self.sink = sink
        defer { self.sink = nil }
        if let buffered = early {
            early = nil
            sink.received(buffered.span)
        }
        while !isEnded {
            if let failure { throw failure }
            await waitForProgress()
        }
    }

    /// The same without a task that waits: a stream may be silent for minutes, and a task keeps kilobytes of frames.
    ///
    /// - Parameter onEnd: called once, later in the turn in which the body ended; why, if it is not whole.
    package func relay(to sink: any BodySink, onEnd: @escaping (UpstreamError?) -> Void) {
        if isPaused { resumeFromPause() }
        self.sink = sink
        if let buffered = early {
            early = nil
            sink.received(buffered.span)
        }
        self.onEnd = onEnd
        if isEnded || failure != nil { loop.runLater { self.tellEnd() } }
    }

    private func tellEnd() {
        let onEnd = onEnd
        self.onEnd = nil
        sink = nil
        onEnd?(failure)
    }

    /// Back-pressure: nothing is read from the provider until `resume()`.
    package func pause() {
        if isEnded || failure != nil { return }
        isPaused = true
        carrier?.pause(self)
    }

    package func resume() { if isPaused { resumeFromPause() } }

    private func resumeFromPause() {
        isPaused = false
        lastProgress = loop.now  // the provider could send nothing in the meantime
        carrier?.resume(self)
    }

    /// Sends a part of a streamed request body, waiting while the provider takes nothing.
    package func send(_ bytes: ByteBuffer) async throws(UpstreamError) {
        if let failure { throw failure }
        carrier?.send(self, bytes)
        while failure == nil, let carrier, carrier.isCongested(self) {
            unsafe await withUnsafeContinuation { unsafe roomToSend.wait($0) }
        }
        if let failure { throw failure }
    }

    /// Sends a few bytes without waiting for room; nothing is sent to a provider that takes nothing.
    package func post(_ bytes: ByteBuffer) {
        if isEnded || failure != nil { return }
        if let carrier, !carrier.isCongested(self) { carrier.send(self, bytes) }
    }

    package func finishSending() { carrier?.finishSending(self) }

    /// Ends the exchange for a reason of ours. What waits for the response gets `error`.
    package func cancel(_ error: UpstreamError) {
        if isEnded || failure != nil { return }
        carrier?.cancel(self)
        failed(error)
    }

    private func waitForProgress() async {
        unsafe await withUnsafeContinuation { unsafe progress.wait($0) }
    }

    // MARK: From the carrier

    func headReceived(_ head: ResponseHead) {
        self.head = head
        lastProgress = loop.now
        wake()
    }

    func bodyReceived(_ bytes: Span<UInt8>) {
        if failure != nil || bytes.isEmpty { return }
        receivedByteCount += bytes.count
        lastProgress = loop.now
        if let sink { return sink.received(bytes) }
        let buffer = early ?? ByteBuffer(capacity: bytes.count)
        early = buffer
        buffer.append(bytes)
        if collectLimit >= 0 {
            if buffer.count > collectLimit { pauseAndWake() }
        } else if buffer.count > Self.earlyByteCount {
            pause()
        }
    }

    private func pauseAndWake() {
        pause()
        wake()
    }

    func ended(trailers: HeaderFields?) {
        if failure != nil { return }
        self.trailers = trailers
        isEnded = true
        carrier = nil
        wake()
        wakeSender()
    }

    func failed(_ error: UpstreamError) {
        if isEnded || failure != nil { return }
        failure = error
        carrier = nil
        wake()
        wakeSender()
    }

    func drained() { wakeSender() }

    private func wake() {
        if onEnd != nil { return loop.runLater { self.tellEnd() } }
        progress.give()
    }
    private func wakeSender() { roomToSend.give() }
}

extension UpstreamExchange: TimerTarget {
    package func timerFired(_ timer: LoopTimer) {
        isPatienceOver = true
        progress.give()
    }
}
