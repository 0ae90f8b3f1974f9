internal import Glibc
internal import SluiceConfig
internal import SluiceCore
internal import SluiceNet
internal import SluicePipeline
internal import SluiceProviders

/// `sluice check --probe`: asks every provider of a configuration once.
enum ProbeCommand {
    /// EX_UNAVAILABLE of sysexits(3): not every provider is well.
    private static let unavailableStatus: Int32 = 69

    private final class Outcomes {
        var results: [String: ProbeResult] = [:]
    }

    /// - Returns: the exit status.
    static func run(_ snapshot: ConfigSnapshot, spendsTokens: Bool) -> Int32 {
        let providers = snapshot.providers.values.sorted { $0.name < $1.name }
        guard !providers.isEmpty else {
            FileHandleOutput.standardOutput("There is no provider to probe.\n")
            return 0
        }
        guard let loop = try? EventLoop() else { return unavailableStatus }
        nonisolated(unsafe) let outcomes = Outcomes()  // used on the loop, which this thread runs
        let resolver = Resolver()
        loop.execute {
            let client = ProviderClient(on: loop, resolver: resolver)
            for provider in providers {
                loop.spawn {
                    let result = await ProviderProbe(client: client, provider: provider).run(spendsTokens: spendsTokens)
                    unsafe outcomes.results[provider.name] = result
                    if unsafe outcomes.results.count == providers.count { loop.stop() }
                }
            }
        }
        loop.run()
        let results = unsafe outcomes.results
        FileHandleOutput.standardOutput(table(providers, results))
        return results.values.allSatisfy { $0.verdict == .reachable } ? 0 : unavailableStatus
    }

    private static func table(_ providers: [Provider], _ results: [String: ProbeResult]) -> String {
        let width = providers.map(\.name.count).max() ?? 0
        return providers.compactMap { provider in
            guard let result = results[provider.name] else { return nil }
            let verdict = result.verdict.rawValue.map { $0 == "_" ? " " : $0 }
            return pad(provider.name, width) + "  " + pad(String(verdict), 15) + "  "
                + pad("\(result.latency.nanoseconds / 1_000_000) ms", 8) + "  \(result.question): \(result.reason)\n"
        }.joined()
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
