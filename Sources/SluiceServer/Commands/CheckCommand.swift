internal import SluiceConfig

/// `sluice check FILE`: every mistake of a configuration, or of an adapter.
enum CheckCommand {
    static let command = ArgumentParser.Command(
        "check", summary: "Reports every mistake of a configuration with its adapters, or of one adapter.",
        operands: ["FILE"])

    static func run(_ arguments: Arguments) -> Int32 {
        let file = arguments.operands[0]
        do throws(ConfigErrors) {
            let text = try ConfigReader.text(ofFile: file, environment: .process)
            if Adapter.isAdapter(try ConfigReader.parse(text)) { return try checkAdapter(file, text) }
            let outcome = try ServerConfiguration.load(file: file)
            _ = try SnapshotBuilder.build(outcome.value, revision: 1, environment: .process)
            for note in outcome.value.notes { FileHandleOutput.standardOutput("note: \(note)\n") }
            FileHandleOutput.standardOutput("\(file): valid\n")
            return 0
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
