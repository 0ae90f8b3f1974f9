internal import SluiceConfig
internal import SluiceNet

/// What a person sees at the start: where Sluice listens, what it found, and what to try.
enum Banner {
    static func print(
        _ configuration: ServerConfiguration, addresses: [(address: SocketAddress, isTLS: Bool)], admin: SocketAddress?
    ) {
        var lines = ["Sluice \(Server.version)"]
        for (address, isTLS) in addresses { lines.append("  listening  \(url(address, isTLS))") }
        if let admin { lines.append("  admin      \(url(admin, false))/health") }
        if configuration.providers.isEmpty {
            lines.append(
                "  providers  none: set OPENAI_API_KEY, OPENAI_BASE_URL or another provider's key, or use --config FILE"
            )
        }
        for provider in configuration.providers {
            let models = provider.namedModels
            let shown = models.prefix(6).joined(separator: ", ") + (models.count > 6 ? ", …" : "")
            lines.append("  provider   \(provider.name) at \(provider.baseURL)\(shown.isEmpty ? "" : ": \(shown)")")
        }
        for model in configuration.models {
            let targets = model.targets.map { "\($0.provider)/\($0.upstreamModel)" }
            let shown = targets.prefix(3).joined(separator: ", ") + (targets.count > 3 ? ", …" : "")
            let fallbacks = model.fallbacks.isEmpty ? "" : "; then \(model.fallbacks.joined(separator: ", "))"
            lines.append("  model      \(model.name) → \(shown)\(fallbacks)")
        }
        lines.append("  model      echo (built in: answers with the prompt)")
        if let first = addresses.first { lines += examples(url(first.address, first.isTLS), first.address) }
        FileHandleOutput.standardOutput(lines.joined(separator: "\n") + "\n")
    }

    private static func examples(_ url: String, _ address: SocketAddress) -> [String] {
        let body = #"{"model":"echo","messages":[{"role":"user","content":"Hello"}]}"#
        var target = url
        if case .unix(let path) = address { target = "--unix-socket \(path) http://localhost" }
        return [
            "", "Try it:", "  curl \(target)/v1/chat/completions -H 'content-type: application/json' -d '\(body)'",
            "  python3 -c \"from openai import OpenAI; print(OpenAI(base_url='\(url)/v1', api_key='-').chat.completions.create("
                + "model='echo', messages=[{'role': 'user', 'content': 'Hello'}]).choices[0].message.content)\"", "",
        ]
    }

    private static func url(_ address: SocketAddress, _ isTLS: Bool) -> String {
        address.isUnix ? "\(address)" : "\(isTLS ? "https" : "http")://\(address)"
    }
}
