internal import Glibc
internal import SluiceConfig
internal import SluiceCore
internal import SluiceMock
internal import SluiceNet

/// `sluice mock`: a provider to practise against.
enum MockCommand {
    static var command: ArgumentParser.Command {
        let behaviour = MockHelp.flags.map { ArgumentParser.Option($0.name, $0.value, doc: $0.doc) }
        return .init(
            "mock", summary: "A provider to practise against: fast, slow or broken, as it is told.",
            options: [
                .init("listen", "ADDR", isRepeatable: true, doc: "where it listens; default 127.0.0.1:4020"),
                .init("workers", "N", doc: "event loops; default 1"),
                .init("certificate", "FILE", doc: "PEM; with --key: TLS, HTTP/1.1 and HTTP/2"),
                .init("key", "FILE", doc: "PEM"),
                .init("api-key", "KEY", doc: "what a bearer must be; default: anything"),
                .init("model", "NAME", isRepeatable: true, doc: "one more name for the list of models"),
                .init("requests", "N", doc: "how many requests /mock/requests can show; default 200"),
                .init("token-seconds", "N", doc: "how long tokens of token endpoints last; default: as the provider's"),
                .init("quiet", doc: "prints nothing at the start"),
            ] + behaviour + [
                .init("fault", "WORDS", isRepeatable: true, doc: "what goes wrong, for every request: see Behaviour")
            ], details: MockHelp.details)
    }

    static func run(_ arguments: Arguments) throws(UsageError) -> Int32 {
        let options = try options(arguments)
        ProcessLimits.raiseDescriptorLimit()
        Memory.configure(arenas: options.workers + 1)
        Signals.block([SIGTERM, SIGINT])
        do {
            let loop = try EventLoop()
            let server = try MockServer(options)
            if !arguments.has("quiet") { printBanner(server) }
            serve(until: loop, server)
            return 0
        } catch {
            FileHandleOutput.standardError("sluice mock: \(error)\n")
            return 1
        }
    }

    /// Serves until a signal; practice ends at once.
    private static func serve(until loop: EventLoop, _ server: MockServer) {
        loop.execute {
            let signals = try? Signals([SIGTERM, SIGINT], on: loop) { _ in loop.stop() }
            if signals == nil { loop.stop() }
        }
        loop.run()
        server.stop()
        for address in server.addresses {
            if case .unix(let path) = address, !path.hasPrefix("@") { _ = unsafe unlink(path) }
        }
    }

    // MARK: Arguments

    private static func options(_ arguments: Arguments) throws(UsageError) -> MockOptions {
        var options = MockOptions()
        let addresses = arguments.texts("listen")
        if !addresses.isEmpty { options.addresses = [] }
        for text in addresses {
            guard let listen = ListenAddress(text), let address = SocketAddress("\(listen)") else {
                throw UsageError("--listen: \(ListenAddress.allowed), found \(text)")
            }
            options.addresses.append(address)
        }
        options.workers = try arguments.integer("workers", in: 1...256) ?? 1
        options.certificateFile = arguments.text("certificate")
        options.privateKeyFile = arguments.text("key")
        options.apiKey = arguments.text("api-key").map { Secret($0) }
        options.models = arguments.texts("model")
        if let kept = try arguments.integer("requests", in: 0...MockOptions.requestsKeptMax) {
            options.requestsKept = kept
        }
        options.tokenSeconds = try arguments.integer("token-seconds", in: 1...31_536_000)
        options.behaviour = try behaviour(arguments)
        return options
    }

    private static func behaviour(_ arguments: Arguments) throws(UsageError) -> Behaviour {
        var words: [String] = []
        for flag in MockHelp.flags where arguments.has(flag.name) {
            let value = arguments.text(flag.name) ?? ""
            words.append(flag.value == nil ? flag.name : "\(flag.name)=\(BehaviourGrammar.encoded(value))")
        }
        words += arguments.texts("fault")
        do throws(BehaviourMistake) {
            return try BehaviourGrammar.list(words.joined(separator: ","), over: Behaviour())
        } catch {
            throw UsageError("\(error)")
        }
    }

    // MARK: Start

    private static func printBanner(_ server: MockServer) {
        var lines = ["sluice mock: a provider to practise against"]
        for address in server.addresses {
            lines.append(
                "  listening  \(address.isUnix ? "\(address)" : "\(server.isTLS ? "https" : "http")://\(address)")")
        }
        lines.append(
            "  behaviour  by flag, model name (gpt-mock+latency-ms=50+cut=0.66) or x-mock header; sluice mock --help lists the words"
        )
        if let address = server.addresses.first(where: { !$0.isUnix }) {
            let url = "\(server.isTLS ? "https" : "http")://\(address)"
            let body = #"{"model":"gpt-mock","messages":[{"role":"user","content":"Hello"}]}"#
            lines += [
                "", "Try it:", "  curl \(url)/v1/chat/completions -H 'content-type: application/json' -d '\(body)'",
                "With sluice in front:", "  OPENAI_BASE_URL=\(url)/v1 OPENAI_API_KEY=x sluice", "",
            ]
        }
        FileHandleOutput.standardOutput(lines.joined(separator: "\n") + "\n")
    }
}
