internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet
internal import SluicePipeline

/// `/providers` of the admin port: how each is, and a probe when somebody asks for one.
final class ProvidersEndpoint: AdminRoute {
    let name = "/providers"
    private let shared: Shared
    private let client: ProviderClient
    /// Probes under way: one at a time for each provider.
    private var underWay: Set<String> = []

    init(on loop: EventLoop, shared: Shared) {
        self.shared = shared
        client = ProviderClient(on: loop, resolver: shared.resolver)
    }

    func answer(_ exchange: DownstreamExchange) -> Bool {
        let head = exchange.head
        let path = String(decoding: head.path)
        if path == "/providers" {
            read(exchange) { ProviderReport.list(shared) }
            return true
        }
        guard path.hasPrefix("/providers/"), path.hasSuffix("/probe") else { return false }
        probe(String(path.dropFirst("/providers/".count).dropLast("/probe".count)), exchange)
        return true
    }

    private func probe(_ name: String, _ exchange: DownstreamExchange) {
        if !mayChange(exchange) { return }
        guard let provider = shared.current.snapshot.providers[name] else {
            return AdminEndpoint.send(404, #"{"error":"There is no such provider."}"#, to: exchange)
        }
        guard underWay.insert(name).inserted else {
            return AdminEndpoint.send(409, #"{"error":"A probe is under way."}"#, to: exchange)
        }
        let target = exchange.head.target
        let spendsTokens = String(decoding: target.span).hasSuffix("?chat=true")
        exchange.loop.spawn { [self] in
            let result = await ProviderProbe(client: client, provider: provider).run(spendsTokens: spendsTokens)
            underWay.remove(name)
            shared.probes[name] = result
            if !exchange.isAbandoned {
                AdminEndpoint.send(200, ProviderReport.one(provider, shared), to: exchange)
            }
        }
    }
}
