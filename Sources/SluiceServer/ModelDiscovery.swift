internal import SluiceConfig
internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluicePipeline
internal import SluiceProviders
internal import SluiceUpstream

/// Asks each provider which models it has: at the start, after a reload, and now and then. Off the workers; nothing waits for it.
final class ModelDiscovery: TimerTarget {
    private let loop: EventLoop
    private let shared: Shared
    private let prints: Bool
    private var timer: LoopTimer?
    private static let askEvery = Duration.seconds(600)
    private static let patience = Duration.seconds(10)
    private static let listBytesMax = 4 << 20

    init(on loop: EventLoop, shared: Shared, prints: Bool) {
        self.loop = loop
        self.shared = shared
        self.prints = prints
        let timer = LoopTimer(target: self)
        self.timer = timer
        loop.arm(timer, after: Self.askEvery)
    }

    func timerFired(_ timer: LoopTimer) {
        loop.arm(timer, after: Self.askEvery)
        refresh()
    }

    func refresh() {
        for provider in shared.current.snapshot.providers.values where provider.chat.hasModelList {
            loop.spawn { [self] in await ask(provider) }
        }
    }

    private func ask(_ provider: Provider) async {
        if !provider.adaptation.has(.models) || provider.dialect != .openai { return }
        let known = shared.directory.models(of: provider.name)
        do throws(UpstreamError) {
            let models = try await list(provider)
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
        } catch {
            shared.events.event(.warn, "model list not available") { line in
                line.field("gen_ai.provider.name", provider.name)
                line.field("error.message", error.detail)
            }
        }
    }

    private func list(_ provider: Provider) async throws(UpstreamError) -> [String] {
        let pool = ConnectionPool(endpoint: provider.endpoint, loop: loop, resolver: shared.resolver)
        defer { pool.drain() }
        var fields = HeaderFields()
        provider.authorize(&fields, key: provider.keys.next(at: EventLoop.readClock()))
        if provider.dialect == .anthropic, !fields.contains(.anthropicVersion) {
            fields.append(.anthropicVersion, AnthropicDialect.version)
        }
        fields.append(.accept, "application/json")
        fields.append(.userAgent, "sluice/\(Server.version)")
        let request = UpstreamRequest(
            method: .get, target: provider.basePath + provider.adaptation.target(.models, model: "", rest: [UInt8]().span), fields: fields, body: .none)
        let deadlines = Deadlines(
            connect: Self.patience, head: Self.patience, idle: Self.patience, total: loop.now + Self.patience)
        let exchange = try await pool.send(request, deadlines: deadlines)
        let head = try await exchange.responseHead()
        guard let body = try await exchange.collect(atMost: Self.listBytesMax), head.status.isSuccess else {
            exchange.cancel(UpstreamError(.cancelled, "the list is not wanted any more"))
            throw UpstreamError(.malformed, "it answered with status \(head.status.code)")
        }
        return Self.names(body)
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
