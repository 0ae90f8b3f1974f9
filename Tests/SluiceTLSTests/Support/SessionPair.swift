import SluiceCore
import SluiceTLS
import Testing

/// Two sessions and the bytes between them.
final class SessionPair {
    enum Side { case downstream, upstream }

    let downstream: TLSSession
    let upstream: TLSSession
    private(set) var atDownstream = ByteBuffer()
    private(set) var atUpstream = ByteBuffer()
    private(set) var downstreamError: TLSError?
    private(set) var upstreamError: TLSError?
    private(set) var handshakesReported = 0
    /// How many bytes the next delivery carries at most.
    var nextSplit: () -> Int = { .max }
    /// The most plaintext one call may produce.
    var nextLimit: () -> Int = { 64 << 10 }

    init(_ downstream: TLSContext, _ upstream: TLSContext, host: String = "api.example.com") throws {
        self.downstream = try TLSSession(downstream: downstream)
        self.upstream = try TLSSession(upstream: upstream, host: host, port: 443)
    }

    /// Carries bytes both ways until neither side has any to send or one has failed and said so.
    func run() {
        while true {
            let toUpstream = downstream.outbound.takeAll()
            let toDownstream = upstream.outbound.takeAll()
            if toUpstream.isEmpty && toDownstream.isEmpty { return }
            deliver(toUpstream, to: .upstream)
            deliver(toDownstream, to: .downstream)
        }
    }

    func deliver(_ bytes: [UInt8], to side: Side) {
        var at = 0
        while at < bytes.count {
            let end = min(bytes.count, at + min(max(nextSplit(), 1), bytes.count))
            feed(Array(bytes[at..<end]), to: side)
            at = end
        }
    }

    private func feed(_ bytes: [UInt8], to side: Side) {
        let session = side == .downstream ? downstream : upstream
        let sink = side == .downstream ? atDownstream : atUpstream
        do throws(TLSError) {
            var progress = try session.receive(bytes.span, appendingTo: sink, atMost: max(nextLimit(), 1))
            if progress.completedHandshake { handshakesReported += 1 }
            while progress.next == .hasMore {
                progress = try session.receiveMore(appendingTo: sink, atMost: max(nextLimit(), 1))
                if progress.completedHandshake { handshakesReported += 1 }
            }
        } catch {
            if side == .downstream { downstreamError = error } else { upstreamError = error }
        }
    }
}

extension ByteQueue {
    /// All bytes, which leave the queue.
    func takeAll() -> [UInt8] {
        var bytes: [UInt8] = []
        for index in 0..<runCount { unsafe bytes.append(contentsOf: run(index)) }
        removeAll()
        return bytes
    }
}

extension TLSSession {
    /// Asks for what is left of what was fed before.
    func receiveMore(appendingTo buffer: ByteBuffer, atMost limit: Int = 64 << 10) throws(TLSError) -> Progress {
        let nothing: [UInt8] = []
        return try receive(nothing.span, appendingTo: buffer, atMost: limit)
    }
}

extension TLSContext {
    static func listener(
        _ identities: String..., versions: TLSVersions = .tls12AndLater,
        clients: DownstreamTLSConfiguration.ClientCertificates = .ignored,
        speaking protocols: [ApplicationProtocol] = [.http2, .http1]
    ) throws -> TLSContext {
        let certificates = TestCertificates.shared
        var configuration = DownstreamTLSConfiguration(identities: identities.map(certificates.identity))
        configuration.versions = versions
        configuration.clientCertificates = clients
        configuration.applicationProtocols = protocols
        return try TLSContext(downstream: configuration)
    }

    static func cluster(
        trusting authorities: String? = TestCertificates.shared.authorities, as identity: String? = nil,
        versions: TLSVersions = .tls12AndLater, offering protocols: [ApplicationProtocol] = [.http2, .http1],
        sessions: Int = 4
    ) throws -> TLSContext {
        var configuration = UpstreamTLSConfiguration()
        configuration.authoritiesFile = authorities
        configuration.identity = identity.map(TestCertificates.shared.identity)
        configuration.versions = versions
        configuration.applicationProtocols = protocols
        configuration.sessionsKeptPerEndpoint = sessions
        return try TLSContext(upstream: configuration)
    }
}
