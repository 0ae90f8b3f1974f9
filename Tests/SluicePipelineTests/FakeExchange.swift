import SluiceConfig
import SluiceCore
import SluiceDownstream
import SluiceHTTP
import SluiceNet
import SluicePolicy
import SluiceProviders

@testable import SluicePipeline
@testable import SluiceUpstream

/// The application's end of an exchange without a connection: what it is sent.
final class FakeDownstream: ExchangeCarrier {
    enum End { case finished, aborted, abortedAfterSending }

    private(set) var head: ResponseHead?
    private(set) var body: [UInt8] = []
    private(set) var end: End?
    var isFull = false

    var text: String { String(decoding: body, as: UTF8.self) }
    var status: UInt16? { head.map { $0.status.code } }
    func field(_ name: FieldName) -> String? { head?.fields.text(name) }

    func wantBody(_ exchange: DownstreamExchange) {}
    func pauseBody(_ exchange: DownstreamExchange) {}
    func receiveBody(_ exchange: DownstreamExchange, into buffer: ByteBuffer) {}
    func sendInformational(_ exchange: DownstreamExchange, _ status: Status) {}
    func sendHead(_ exchange: DownstreamExchange, _ head: ResponseHead, body: BodyLength) { self.head = head }
    func send(_ exchange: DownstreamExchange, _ bytes: Span<UInt8>) {
        for index in bytes.indices { body.append(bytes[index]) }
    }
    func send(_ exchange: DownstreamExchange, sharing buffer: ByteBuffer) { send(exchange, buffer.span) }
    func sendVerbatim(_ exchange: DownstreamExchange, _ bytes: Span<UInt8>) { send(exchange, bytes) }
    func finish(_ exchange: DownstreamExchange, trailers: HeaderFields?) { end = .finished }
    func abort(_ exchange: DownstreamExchange) { end = .aborted }
    func abortAfterSending(_ exchange: DownstreamExchange) { end = .abortedAfterSending }
    func isCongested(_ exchange: DownstreamExchange) -> Bool { isFull }
}

/// The provider's end: what it is told.
final class FakeUpstream: UpstreamCarrier {
    private(set) var isPaused = false
    private(set) var isCancelled = false

    func send(_ exchange: UpstreamExchange, _ bytes: ByteBuffer) {}
    func finishSending(_ exchange: UpstreamExchange) {}
    func isCongested(_ exchange: UpstreamExchange) -> Bool { false }
    func pause(_ exchange: UpstreamExchange) { isPaused = true }
    func resume(_ exchange: UpstreamExchange) { isPaused = false }
    func cancel(_ exchange: UpstreamExchange) { isCancelled = true }
}

/// One request in the pipeline, with both its ends.
struct FakeExchange {
    let downstream = FakeDownstream()
    let upstream = FakeUpstream()
    let context: RequestContext
    let upstreamExchange: UpstreamExchange

    /// - Parameter loop: never runs.
    /// - Parameter fields: of the request's head.
    init(
        _ loop: EventLoop, snapshot: ConfigSnapshot = FakeExchange.snapshot([]), fields: HeaderFields = HeaderFields()
    ) {
        let peer = Peer(address: .ipv4(1, port: 1), listener: .ipv4(1, port: 2), trust: .machine, isTLS: false)
        let exchange = DownstreamExchange(
            head: RequestHead(version: .http11, method: .post, target: Array("/v1/chat/completions".utf8), fields: fields),
            bodyLength: .none, peer: peer, loop: loop, stream: nil,
            carrier: downstream)
        context = RequestContext(exchange, snapshot: snapshot, requestID: "req-1", place: 0)
        context.operation = .chatCompletions
        upstreamExchange = UpstreamExchange(loop: loop, stream: nil, isOnReusedConnection: false, carrier: upstream)
    }

    static func snapshot(
        _ providers: [Provider], models: [String: ConfigSnapshot.Model] = [:], aliases: [String: String] = [:],
        rules: [RouteRule] = [], defaultProvider: Provider? = nil, tracing: TraceSettings? = nil
    ) -> ConfigSnapshot {
        var timeouts = TimeoutsConfiguration()
        timeouts.keepaliveComment = .zero
        return ConfigSnapshot(
            revision: 1, providers: providers, models: models, aliases: aliases, rules: rules,
            defaultProvider: defaultProvider,
            limits: ConfigSnapshot.Limits(),
            timeouts: timeouts, logsExchanges: false, tracing: tracing)
    }

    static func provider(_ name: String, models: [String] = [], prefixes: [String] = []) -> Provider {
        let endpoint = Endpoint(
            isTLS: false, host: name, port: 80, tls: nil, http: .http1, proxy: nil, limits: Endpoint.PoolLimits())
        return Provider(
            name: name, dialect: .openai, endpoint: endpoint, basePath: "/v1", keys: KeyRing([]), models: models,
            modelPrefixes: prefixes)
    }
}
