internal import SluiceConfig
internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet
internal import SluicePipeline
internal import SluicePolicy
internal import SluiceProviders
internal import SluiceUpstream

/// What metrics cost one exchange, all that is done for them: its phases are timed, its series found, its attempt and its end counted.
func measureExchange(_ measure: Measure) {
    guard let loop = try? EventLoop() else { return }
    let endpoint = Endpoint(
        isTLS: false, host: "localhost", port: 80, tls: nil, http: .http1, proxy: nil, limits: Endpoint.PoolLimits())
    let providers = (0..<2).map { index in
        Provider(
            name: "provider-\(index)", dialect: .openai, endpoint: endpoint, basePath: "/v1", keys: KeyRing([]),
            models: ["model-\(index)"])
    }
    let snapshot = ConfigSnapshot(
        revision: 1, providers: providers, models: [:], defaultProvider: providers[0], limits: ConfigSnapshot.Limits(),
        timeouts: TimeoutsConfiguration(), logsExchanges: false)
    let metrics = ExchangeMetrics(snapshot.lasting.metrics, directory: ModelDirectory())
    let contexts = providers.indices.map { context(providers[$0], "model-\($0)", snapshot, loop) }
    let (first, second) = (contexts[0], contexts[1])
    // As it is where an attempt is over: lent, not copied out of its exchange.
    let (firstAttempt, secondAttempt) = (first.attempt, second.attempt)
    let now = loop.now + .milliseconds(300)
    func note(_ context: RequestContext, _ attempt: borrowing Attempt) {
        context.beginPhase(at: loop.now)
        for phase in Overhead.Phase.allCases { context.endPhase(phase) }
        metrics.note(attempt, nil, .success(took: .milliseconds(250)), context, at: now)
        metrics.note(context, at: now)
    }
    measure("metrics/exchange like the last one") { note(first, firstAttempt) }
    var turn = 0
    measure("metrics/exchange unlike the last one") {
        turn &+= 1
        if turn & 1 == 0 { note(first, firstAttempt) } else { note(second, secondAttempt) }
    }
    measure("metrics/clock") { keep(EventLoop.readClock()) }
}

/// An exchange as it is when it is over: streamed, with the provider's count of tokens.
private func context(
    _ provider: Provider, _ model: String, _ snapshot: ConfigSnapshot, _ loop: EventLoop
) -> RequestContext {
    let peer = Peer(address: .ipv4(1, port: 1), listener: .ipv4(1, port: 2), trust: .machine, isTLS: false)
    let head = RequestHead(
        version: .http11, method: .post, target: Array("/v1/chat/completions".utf8), fields: HeaderFields())
    let exchange = DownstreamExchange(
        head: head, bodyLength: .none, peer: peer, loop: loop, stream: nil, carrier: Nobody())
    let context = RequestContext(exchange, snapshot: snapshot, requestID: "req-1", place: 0)
    context.isInvocation = true
    context.operation = .chatCompletions
    context.route = "/v1/chat/completions"
    context.model = model
    context.streamBegins(200, isAnswerThere: true)
    context.attempt.provider = provider
    context.attempt.target = snapshot.lasting.targets.state(of: TargetID(provider: provider.name, model: model))
    context.attempt.upstreamModel = model
    context.attempt.answeredBy = model
    context.attempt.startedAt = loop.now
    context.attempt.sentUpstreamAt = loop.now
    context.attempt.headAt = loop.now + .milliseconds(190)
    context.attempt.usage = Usage(inputTokens: 1200, outputTokens: 340, cachedInputTokens: 1000)
    return context
}

/// The application's end of an exchange that nothing is sent in.
private final class Nobody: ExchangeCarrier {
    func wantBody(_ exchange: DownstreamExchange) {}
    func pauseBody(_ exchange: DownstreamExchange) {}
    func receiveBody(_ exchange: DownstreamExchange, into buffer: ByteBuffer) {}
    func sendInformational(_ exchange: DownstreamExchange, _ status: Status) {}
    func sendHead(_ exchange: DownstreamExchange, _ head: ResponseHead, body: BodyLength) {}
    func send(_ exchange: DownstreamExchange, _ bytes: Span<UInt8>) {}
    func send(_ exchange: DownstreamExchange, sharing buffer: ByteBuffer) {}
    func sendVerbatim(_ exchange: DownstreamExchange, _ bytes: Span<UInt8>) {}
    func finish(_ exchange: DownstreamExchange, trailers: HeaderFields?) {}
    func abort(_ exchange: DownstreamExchange) {}
    func abortAfterSending(_ exchange: DownstreamExchange) {}
    func isCongested(_ exchange: DownstreamExchange) -> Bool { false }
}
