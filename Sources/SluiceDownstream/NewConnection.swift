internal import SluiceCore
internal import SluiceHTTP
internal import SluiceNet
internal import SluiceTLS

/// A connection of which it is not yet known whether it speaks HTTP/1.1 or HTTP/2.
///
/// Under TLS, ALPN decides (RFC 7301); without, HTTP/2 begins with its preface (RFC 9113 §3.4), which no HTTP/1.1 request does.
final class NewConnection: DownstreamConnection {
    private let transport: Transport
    private let registry: ConnectionRegistry
    private let peerAddress: SocketAddress
    private let listener: SocketAddress
    private let trust: ListenerTrust
    private let isTLS: Bool
    private let speaksHTTP2: Bool
    private var timer: LoopTimer?
    private var received: ByteBuffer?

    /// How long a connection that has sent nothing is kept when no new ones are taken.
    private static let drainPatience = Duration.seconds(1)
    private static let preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    init(
        transport: Transport, registry: ConnectionRegistry, peer: SocketAddress, listener: SocketAddress,
        trust: ListenerTrust, isTLS: Bool, speaksHTTP2: Bool
    ) {
        self.transport = transport
        self.registry = registry
        peerAddress = peer
        self.listener = listener
        self.trust = trust
        self.isTLS = isTLS
        self.speaksHTTP2 = speaksHTTP2
        transport.highWatermark = registry.configuration.streamBufferByteCount
    }

    var isIdle: Bool { true }

    func start(_ certificates: CertificateStore?) {
        transport.dropsUnreadAtEnd = true
        transport.delegate = self
        let timer = LoopTimer(target: self)
        self.timer = timer
        registry.loop.arm(timer, after: registry.configuration.headTimeout)
        guard let certificates else { return }
        do {
            transport.startTLS(try TLSSession(downstream: certificates.current))
        } catch {
            close()
        }
    }

    func refuseForNumber(plain: Bool) {
        if plain {
            let date = registry.date()
            transport.write { queue in
                queue.write {
                    ProtocolErrorReply.write(503, "Too many connections are open. Try again later.", date: date, to: $0)
                }
            }
            transport.flush()
        }
        transport.close()
    }

    private func decide(_ bytes: Span<UInt8>) {
        if speaksHTTP2, !isTLS {
            let length = min(bytes.count, Self.preface.utf8CodeUnitCount)
            if bytes.extracting(0..<length).isPrefix(of: Self.preface) {
                if length < Self.preface.utf8CodeUnitCount { return keep(bytes) }
                return becomeHTTP2(bytes)
            }
        }
        becomeHTTP1(bytes)
    }

    private func keep(_ bytes: Span<UInt8>) { received = ByteBuffer(copying: bytes) }

    private func becomeHTTP1(_ bytes: Span<UInt8>) {
        let connection = DownstreamHTTP1(transport: transport, registry: registry, peer: peer())
        registry.replace(self, with: connection)
        stopTimer()
        connection.start(received: bytes)
    }

    private func becomeHTTP2(_ bytes: Span<UInt8>) {
        guard let connection = try? DownstreamHTTP2(transport: transport, registry: registry, peer: peer()) else {
            return close()
        }
        registry.replace(self, with: connection)
        stopTimer()
        connection.start(received: bytes)
    }

    private func peer() -> Peer {
        Peer(
            address: peerAddress, listener: listener, trust: trust, isTLS: isTLS,
            certificate: transport.peerCertificate.map(ClientCertificate.init))
    }

    private func stopTimer() {
        if let timer { registry.loop.remove(timer) }
        timer = nil
    }

    /// Its first request may be on its way, and is served; but a silent connection does not hold up the end for long.
    func drain() {
        if transport.receivedByteCount > 0 { return }
        if let timer { registry.loop.arm(timer, after: Self.drainPatience) }
    }

    func close() {
        stopTimer()
        transport.close()
        registry.leave(self)
    }
}

extension NewConnection: TransportDelegate {
    func transportSecured() {
        switch transport.applicationProtocol {
        case .http2: becomeHTTP2(Span())
        default: becomeHTTP1(Span())
        }
    }

    func transportReceived(_ bytes: Span<UInt8>) {
        guard let received else { return decide(bytes) }
        self.received = nil
        received.append(bytes)
        decide(received.span)
    }

    func transportEnded() { close() }

    func transportFailed(_ error: TransportError) {
        if case .tls(let reason) = error {
            registry.protocolError(ProtocolError(peer: peerAddress, status: 400, message: reason))
        }
        close()
    }

    func transportDrained() {}
}

extension NewConnection: TimerTarget {
    func timerFired(_ timer: LoopTimer) { close() }
}

extension Span where Element == UInt8 {
    fileprivate func isPrefix(of text: StaticString) -> Bool {
        if count > text.utf8CodeUnitCount { return false }
        let other = unsafe text.utf8Start
        for index in indices where unsafe self[index] != other[index] { return false }
        return true
    }
}

extension ClientCertificate {
    convenience init(_ summary: CertificateSummary) {
        self.init(
            commonName: summary.commonName, dnsNames: summary.dnsNames, uris: summary.uris,
            fingerprint: summary.fingerprint.hexadecimal, notBefore: Int(summary.notBefore),
            notAfter: Int(summary.notAfter))
    }
}
