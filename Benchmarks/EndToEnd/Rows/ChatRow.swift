/// Small chat requests in a closed loop: what a request costs when there is always another one.
struct ChatRow: Row {
    enum Downstream { case http1, tls, http2, tlsHTTP2 }

    /// 64 requests under way: 64 connections of HTTP/1.1, or 8 of HTTP/2 with 8 streams each.
    private static let connectionCount = 64
    private static let http2ConnectionCount = 8

    static let plain = ChatRow(
        id: "chat", downstream: .http1,
        metrics: [
            Metric("chat, HTTP/1.1, 64 connections", "CPU µs", .ratioAtMost(1.3)),
            Metric("  throughput on one core", "TPS", .atLeast(1_000)),
        ])
    static let tls = ChatRow(
        id: "chat-tls", downstream: .tls,
        metrics: [Metric("chat, TLS and HTTP/1.1", "CPU µs", .ratioAtMost(1.3))])
    static let http2 = ChatRow(
        id: "chat-h2c", downstream: .http2,
        metrics: [Metric("chat, h2c, 8 x 8 streams", "CPU µs", .ratioAtMost(0.8))])
    static let tlsHTTP2 = ChatRow(
        id: "chat-tls-h2", downstream: .tlsHTTP2,
        metrics: [Metric("chat, TLS and HTTP/2, 8 x 8", "CPU µs", .ratioAtMost(0.8))])

    let id: String
    var field: Field { downstream == .http1 ? .all : .yardstick }
    let upstream = UpstreamKind.standIn
    let downstream: Downstream
    let metrics: [Metric]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        let window = try Window.measure(try makeLoad(session), session, settings)
        return [window.microsecondsPerRequest, window.requestsPerSecond]
    }

    private func makeLoad(_ session: Session) throws(Failure) -> any Load {
        let request = try session.request(.plain)
        return switch downstream {
        case .http1:
            try ClosedLoop(port: session.plainPort, connections: Self.connectionCount, request: request)
        case .tls:
            try ClosedLoop(
                port: session.tlsPort, tls: try TLSClient(protocolName: "http/1.1"),
                connections: Self.connectionCount, request: request)
        case .http2:
            try HTTP2Client(
                port: session.http2Port, tls: nil, connections: Self.http2ConnectionCount,
                streams: Self.connectionCount / Self.http2ConnectionCount, request: request)
        case .tlsHTTP2:
            try HTTP2Client(
                port: session.tlsPort, tls: try TLSClient(protocolName: "h2"),
                connections: Self.http2ConnectionCount, streams: Self.connectionCount / Self.http2ConnectionCount,
                request: request)
        }
    }
}
