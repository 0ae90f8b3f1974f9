internal import SluiceConfig
internal import SluiceCore

/// `sluice adapters [NAME]`: what providers can be, and each as a file to begin with.
enum AdaptersCommand {
    static let command = ArgumentParser.Command(
        "adapters", summary: "Lists the built-in adapters, or prints one as a starting point for your own.",
        optionalOperands: ["NAME"])

    static func run(_ arguments: Arguments) -> Int32 {
        let library = AdapterLibrary.builtIn
        guard let name = arguments.operands.first else {
            FileHandleOutput.standardOutput(table(library))
            return 0
        }
        guard let adapter = library[name] else {
            let question = Suggestion.nearest(to: name, among: library.names).map { ", did you mean \"\($0)\"?" } ?? ""
            FileHandleOutput.standardError("sluice: unknown adapter \(name)\(question)\n")
            return 64
        }
        FileHandleOutput.standardOutput(String(decoding: adapter.text, as: UTF8.self))
        return 0
    }

    private static func table(_ library: AdapterLibrary) -> String {
        let width = library.names.map(\.count).max() ?? 0
        return library.adapters.map { adapter in
            adapter.name + String(repeating: " ", count: width - adapter.name.count)
                + "  \(adapter.dialect.rawValue)  \(adapter.title)\n"
        }.joined()
    }
}
