internal import SluiceConfig
internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluicePipeline
internal import SluiceProviders

/// Asks each provider which models it has: at the start, after a reload, and now and then. Off the workers; nothing waits for it.
final class ModelDiscovery: TimerTarget {
    private let loop: EventLoop
    private let shared: Shared
    private let client: ProviderClient
    private let prints: Bool
    private var timer: LoopTimer?
    private static let askEvery = Duration.seconds(600)

    init(on loop: EventLoop, shared: Shared, prints: Bool) {
        self.loop = loop
        self.shared = shared
        self.prints = prints
        client = ProviderClient(on: loop, resolver: shared.resolver)
        let timer = LoopTimer(target: self)
        self.timer = timer
        loop.arm(timer, after: Self.askEvery)
    }

    func timerFired(_ timer: LoopTimer) {
        loop.arm(timer, after: Self.askEvery)
        refresh()
    }

    func refresh() {
        let providers = shared.current.snapshot.providers
        shared.probes.keep(only: providers.keys)
        for provider in providers.values where provider.chat.hasModelList {
            loop.spawn { [self] in await ask(provider) }
        }
    }

    private func ask(_ provider: Provider) async {
        if !provider.adaptation.has(.models) || provider.dialect != .openai { return }
        let known = shared.directory.models(of: provider.name)
        let (result, reply) = await ProviderProbe(client: client, provider: provider).list()
        shared.probes[provider.name] = result
        guard let reply, reply.head.status.isSuccess else {
            return shared.events.event(.warn, "model list not available") { line in
                line.field("gen_ai.provider.name", provider.name)
                line.field("error.message", result.reason)
            }
        }
        let models = Self.names(reply.body)
        shared.directory.replace(models, of: provider.name)
        if known == models { return }
        shared.events.event(.info, "models found") { line in
            line.field("gen_ai.provider.name", provider.name)
            line.field("sluice.models", models.count)
        }
        if prints, !models.isEmpty {
            let shown = models.prefix(8).joined(separator: ", ") + (models.count > 8 ? ", …" : "")
            FileHandleOutput.standardOutput("Provider \(provider.name) has \(models.count) models: \(shown)\n")
        }
    }

    private static func names(_ body: ByteBuffer) -> [String] {
        let tape = JSONTape()
        guard (try? tape.scan(body.span)) != nil else { return [] }
        let root = tape.root(over: body.span)
        var names: [String] = []
        var elements = root.elements(of: "data")
        while let model = elements.next() { if let id = model["id"]?.string { names.append(id) } }
        // Google's list (section 9 of the Gemini sheet).
        elements = root.elements(of: "models")
        while let model = elements.next() {
            if let name = model["name"]?.string, name.hasPrefix("models/") { names.append(String(name.dropFirst(7))) }
        }
        return names
    }
}
