internal import SluiceConfig

/// `sluice check [FILE]`: every mistake of a configuration, or of an adapter; and whether the providers are well.
enum CheckCommand {
    static let command = ArgumentParser.Command(
        "check",
        summary:
            "Reports every mistake of a configuration with its adapters, or of an adapter; without FILE, of the environment.",
        options: [
            .init("probe", doc: "Asks every provider, at no cost, whether it is there and takes the keys."),
            .init("chat", doc: "With --probe: asks every provider for an answer of one token, which costs a little."),
        ], optionalOperands: ["FILE"])

    static func run(_ arguments: Arguments) throws(UsageError) -> Int32 {
        if arguments.has("chat"), !arguments.has("probe") { throw UsageError("--chat: only with --probe") }
        let file = arguments.operands.first
        do throws(ConfigErrors) {
            if let file {
                let text = try ConfigReader.text(ofFile: file, environment: .process)
                if Adapter.isAdapter(try ConfigReader.parse(text)) { return try checkAdapter(file, text) }
            }
            let outcome = try ServerConfiguration.load(file: file)
            let generation = try SnapshotBuilder.build(outcome.value, revision: 1, environment: .process)
            for note in outcome.value.notes { FileHandleOutput.standardOutput("note: \(note)\n") }
            FileHandleOutput.standardOutput("\(file ?? "the environment"): valid\n")
            if !arguments.has("probe") { return 0 }
            return ProbeCommand.run(generation.snapshot, spendsTokens: arguments.has("chat"))
        } catch {
            FileHandleOutput.standardError("\(error)\n")
            return CommandLineTool.configurationStatus
        }
    }

    private static func checkAdapter(_ file: String, _ text: [UInt8]) throws(ConfigErrors) -> Int32 {
        let adapter = try Adapter.read(text: text, file: file, environment: .process)
        for what in adapter.unverified { FileHandleOutput.standardOutput("unverified: \(what)\n") }
        let replaces = AdapterLibrary.builtIn.has(adapter.name) ? ", replaces the built-in one" : ""
        FileHandleOutput.standardOutput("\(file): valid: the adapter \(adapter.name)\(replaces)\n")
        return 0
    }
}
