internal import SluiceCore
internal import SluiceHTTP
internal import SluiceNet
internal import SluiceTLS

/// What happens on a connected socket before the first request: a tunnel through the egress proxy, the TLS handshake.
final class ConnectionOpening: TransportDelegate, TimerTarget {
    private enum Step { case tunnel, handshake, done }

    private let transport: Transport
    private let endpoint: Endpoint
    private var step = Step.tunnel
    private var received = ByteBuffer()
    private var parser = HeadParser()
    private let result = Waiter<Result<Void, UpstreamError>>()
    /// What came after the opening and before its end was noticed.
    private var early: ByteBuffer?

    init(transport: Transport, endpoint: Endpoint) {
        self.transport = transport
        self.endpoint = endpoint
    }

    /// Returns when the connection is ready for requests; closes it otherwise.
    ///
    /// - Returns: what the provider has sent already. Nothing more is read until there is another delegate.
    func run(by deadline: Instant) async throws(UpstreamError) -> ByteBuffer? {
        transport.delegate = self
        let timer = LoopTimer(target: self)
        transport.loop.arm(timer, at: deadline)
        if endpoint.proxy != nil { askForTunnel() } else { startHandshake() }
        let outcome = await result.wait()
        transport.loop.remove(timer)
        transport.delegate = nil
        if case .failure = outcome { transport.close() }
        try outcome.get()
        transport.resumeReading()
        return early
    }

    // MARK: Tunnel (RFC 9110 §9.3.6)

    private func askForTunnel() {
        let name = endpoint.host.contains(":") ? "[\(endpoint.host)]" : endpoint.host
        transport.write { queue in
            queue.write { buffer in
                buffer.append("CONNECT \(name):\(endpoint.port) HTTP/1.1\r\nhost: \(name):\(endpoint.port)\r\n")
                if let authorization = endpoint.proxy?.authorization {
                    buffer.append("proxy-authorization: ")
                    authorization.withExposed { buffer.append($0) }
                    buffer.append("\r\n")
                }
                buffer.append("\r\n")
            }
        }
    }

    func transportReceived(_ bytes: Span<UInt8>) {
        guard step == .tunnel else { return keep(bytes) }
        received.append(bytes)
        do throws(MalformedResponse) {
            let received = received
            guard let (head, _, byteCount) = try parser.response(in: received.span) else { return }
            guard head.status.isSuccess else {
                return fail(
                    .proxy, "the egress proxy refused the tunnel to \(endpoint.host) with status \(head.status.code)")
            }
            guard byteCount == received.count else {
                return fail(.proxy, "the egress proxy sent bytes before the tunnel was used")
            }
        } catch {
            return fail(.proxy, "the egress proxy answered with what is not HTTP: \(error.message)")
        }
        startHandshake()
    }

    /// At most one read's bytes: after the opening, reading is paused.
    private func keep(_ bytes: Span<UInt8>) {
        let buffer = early ?? ByteBuffer(capacity: bytes.count)
        early = buffer
        buffer.append(bytes)
    }

    // MARK: TLS

    private func startHandshake() {
        guard let context = endpoint.tls else { return succeed() }
        step = .handshake
        do throws(TLSError) {
            transport.startTLS(try TLSSession(upstream: context, host: endpoint.tlsName, port: endpoint.port))
        } catch {
            fail(.tls, error.message)
        }
    }

    func transportSecured() {
        if endpoint.http == .http2, transport.applicationProtocol != .http2 {
            return fail(.tls, "\(endpoint.host) does not speak HTTP/2, which the configuration asks for")
        }
        succeed()
    }

    // MARK: Ends

    func transportDrained() {}

    func transportEnded() {
        let during: StaticString = step == .tunnel ? "before it opened the tunnel" : "within the TLS handshake"
        fail(step == .tunnel ? .proxy : .tls, "\(endpoint.host) closed the connection \(during)")
    }

    func transportFailed(_ error: TransportError) {
        fail(step == .tunnel ? .proxy : .tls, "\(endpoint.host): \(error.text)")
    }

    func timerFired(_ timer: LoopTimer) {
        fail(
            .connectTimeout,
            "\(endpoint.host) did not complete the \(step == .tunnel ? "tunnel" : "TLS handshake") in time")
    }

    private func succeed() {
        step = .done
        transport.pauseReading()
        result.fulfil(.success(()))
    }

    private func fail(_ reason: UpstreamError.Reason, _ detail: String) {
        // What ends after it was opened is found to be closed by the first request.
        if step == .done { return transport.close() }
        step = .done
        result.fulfil(.failure(UpstreamError(reason, detail, isUnprocessed: true)))
    }
}
