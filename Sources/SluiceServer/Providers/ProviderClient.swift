internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluicePipeline
internal import SluiceProviders
internal import SluiceUpstream

/// Sends single requests to providers, off the workers, with the credentials, signatures and tokens of any other one.
final class ProviderClient {
    struct Reply {
        let head: ResponseHead
        /// Without our credentials, should the provider repeat them.
        let body: ByteBuffer
        /// Which of its source's tokens the request has shown.
        var tokenRenewals = 0
    }

    let loop: EventLoop
    private let resolver: Resolver
    private let replyBytesMax: Int
    private static let patience = Duration.seconds(10)

    /// - Parameter replyBytesMax: a longer body is an error.
    init(on loop: EventLoop, resolver: Resolver, replyBytesMax: Int = 4 << 20) {
        self.loop = loop
        self.resolver = resolver
        self.replyBytesMax = replyBytesMax
    }

    /// The fields of a request to a provider, but for those that a signer adds.
    static func fields(_ provider: Provider, key: Int?) -> HeaderFields {
        var fields = HeaderFields()
        provider.authorize(&fields, key: key)
        if provider.dialect == .anthropic, !fields.contains(.anthropicVersion) {
            fields.append(.anthropicVersion, AnthropicDialect.version)
        }
        if !fields.contains(.accept) { fields.append(.accept, "application/json") }
        if !fields.contains(.userAgent) { fields.append(.userAgent, "sluice/\(Server.version)") }
        return fields
    }

    /// Signs the request, sends it and collects the reply. Of a WebSocket that opens, only the head is waited for.
    func send(_ request: UpstreamRequest, to provider: Provider, key: Int?) async throws(UpstreamError) -> Reply {
        var request = request
        let pools = PoolTable(loop: loop, resolver: resolver)
        defer { pools.drain() }
        let deadlines = Deadlines(
            connect: Self.patience, head: Self.patience, idle: Self.patience,
            total: EventLoop.readClock() + Self.patience)
        var renewals = 0
        if let signer = provider.signer(key) {
            if let source = signer.tokens {
                try await TokenFetcher(pools: pools, tape: JSONTape()).refresh(source, deadlines)
                renewals = source.renewals
            }
            signer.sign(
                &request, authority: provider.endpoint.authority,
                at: Int(EventLoop.readWallClock() / 1_000_000_000))
        }
        let exchange = try await pools.pool(for: provider.endpoint).send(request, deadlines: deadlines, fresh: false)
        let head = try await exchange.responseHead()
        if head.status == 101 {
            exchange.cancel(UpstreamError(.cancelled, "the handshake was all that was wanted"))
            return Reply(head: head, body: ByteBuffer())
        }
        guard let body = try await exchange.collect(atMost: replyBytesMax) else {
            exchange.cancel(UpstreamError(.cancelled, "its reply is too long"))
            throw UpstreamError(.tooLarge, "its reply is longer than \(replyBytesMax) bytes")
        }
        provider.conceal(in: body)
        return Reply(head: head, body: body, tokenRenewals: renewals)
    }
}
