import Foundation
import SluiceConfig
import SluiceProviders
import Testing

@testable import SluiceServer

/// `SLUICE_UPDATE_GOLDEN=1` writes the generated parts anew: read the difference.
@Suite struct `Generated parts of the documentation` {
    @Test func `say which settings the code reads, and which providers it knows`() throws {
        try Self.check("ConfigurationReference.md", ["settings": Self.settings, "providers": Self.providers])
    }

    @Test func `say what an adapter can say`() throws {
        try Self.check(
            "AdapterReference.md", ["adapter": ConfigReference.describe { _ = Adapter.read($0) }.markdown()])
    }

    @Test func `say what models can do`() throws {
        try Self.check("CapabilityTable.md", ["capabilities": Self.capabilities])
    }

    private static var capabilities: String {
        let flags = CapabilityRules.flagDocs.map(\.name)
        var text = "| adapter | models | " + flags.map { "`\($0)`" }.joined(separator: " | ") + " | `reasoning` | `continuation` | context | output |\n"
        text += String(repeating: "| --- ", count: flags.count + 6) + "|\n"
        for adapter in AdapterLibrary.builtIn.adapters {
            let table = CapabilityTable(adapter.capabilities, asksForUsage: !RequestTransform(adapter.request).alwaysRemoves("stream_options"))
            var patterns: [String] = ["*"]
            for pattern in adapter.capabilities.flatMap(\.models) where !patterns.contains(pattern) { patterns.append(pattern) }
            for pattern in patterns {
                let row = table.row(for: pattern)
                let marks = flags.map { name in Capabilities.flags[name].map { row[keyPath: $0] ? "·" : "–" } ?? "?" }
                let numbers = [row.contextTokensMax, row.outputTokensMax].map { $0.map(String.init) ?? "" }
                let cells = ["`\(adapter.name)`", "`\(pattern)`"] + marks + [row.reasoning.rawValue, row.continuation.rawValue] + numbers
                text += "| " + cells.joined(separator: " | ") + " |\n"
            }
        }
        return text
    }

    @Test func `say of each provider what its adapter says`() throws {
        try Self.check("ProviderPages.md", ["pages": Self.pages])
        for adapter in AdapterLibrary.builtIn.adapters {
            let path = "\(Repository.documentation)/Providers/\(adapter.name).md"
            try Self.check(path, Repository.exists(path) ? try Repository.text(path) : "", ProviderPage(adapter: adapter).text)
        }
        let names = Repository.files(below: "\(Repository.documentation)/Providers", ending: ".md")
        #expect(names.count == AdapterLibrary.builtIn.adapters.count)
    }

    private static var pages: String {
        var text = "| adapter | provider | key | operations |\n| --- | --- | --- | --- |\n"
        for adapter in AdapterLibrary.builtIn.adapters {
            let operations = adapter.paths.map { paths in
                Adapter.Operation.allCases.filter { paths[$0] != nil && $0 != .passage }.map(\.rawValue).joined(separator: ", ")
            }
            let cells = [
                "[`\(adapter.name)`](Providers/\(adapter.name).md)", adapter.title,
                adapter.keyVariables.map { "`\($0)`" }.joined(separator: ", "), operations ?? "all",
            ]
            text += "| " + cells.joined(separator: " | ") + " |\n"
        }
        return text
    }

    @Test func `say which metrics there are`() throws {
        try Self.check(
            "Metrics.md", Dictionary(uniqueKeysWithValues: ["gen_ai_", "process_", "sluice_"].map { ($0, MetricSources.markdown($0)) }))
    }

    @Test func `say what the mock can do`() throws {
        let command = MockCommand.command
        let parser = ArgumentParser(program: "sluice", summary: "", version: "", commands: [command])
        try Self.check("Practising.md", ["mock": "```text\n\(parser.help(for: command))```"])
    }

    private static func check(_ name: String, _ parts: [String: String]) throws {
        let path = "\(Repository.documentation)/\(name)"
        let page = try Repository.text(path)
        var wanted = page
        for (marker, text) in parts { wanted = replace(marker, in: wanted, with: text) }
        try check(path, page, wanted)
    }

    private static func check(_ path: String, _ page: String, _ wanted: String) throws {
        if ProcessInfo.processInfo.environment["SLUICE_UPDATE_GOLDEN"] == "1" {
            try wanted.write(to: Repository.url(path), atomically: true, encoding: .utf8)
        } else {
            let isUpToDate = page == wanted
            #expect(
                isUpToDate, "\(path) is out of date: run this test with SLUICE_UPDATE_GOLDEN=1 and read the difference")
        }
    }

    private static var settings: String {
        ConfigReference.describe { _ = ServerConfiguration.read($0) }.markdown()
    }

    private static var providers: String {
        var text =
            "| name | provider | base URL | key | base URL from | models |\n| --- | --- | --- | --- | --- | --- |\n"
        for entry in AdapterLibrary.builtIn.adapters {
            func code(_ words: [String], unlessConfirmed name: String) -> String {
                words.map { "`\($0)`" }.joined(separator: ", ") + (entry.unverified.contains(name) ? " ?" : "")
            }
            let cells = [
                "`\(entry.name)`", entry.title, entry.baseURL.map { "`\($0)`" } ?? "one's own",
                code(entry.keyVariables, unlessConfirmed: "key_variables"),
                code(entry.baseURLVariables, unlessConfirmed: "base_url_variables"),
                code(entry.models, unlessConfirmed: "models"),
            ]
            text += "| " + cells.joined(separator: " | ") + " |\n"
        }
        return text
    }

    /// The page with another text between a marker and its end.
    private static func replace(_ marker: String, in page: String, with text: String) -> String {
        let (start, end) = ("<!-- generated: \(marker) -->\n", "<!-- end -->")
        guard let from = page.range(of: start), let to = page.range(of: end, range: from.upperBound..<page.endIndex)
        else {
            Issue.record("there is no part \(marker)")
            return page
        }
        return page.replacingCharacters(in: from.upperBound..<to.lowerBound, with: "\n\(text)\n")
    }
}
