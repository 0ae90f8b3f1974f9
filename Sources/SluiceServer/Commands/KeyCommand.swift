internal import Glibc
internal import SluiceConfig
internal import SluiceCore
internal import SluicePolicy

/// `sluice key new` makes an API key and shows it once; `sluice key hash` hashes one that there is.
enum KeyCommand {
    static let command = ArgumentParser.Command(
        "key", summary: "Makes API keys (new), or hashes one that is typed or piped in (hash), for access.keys.",
        options: [
            .init(
                "pepper", "SECRET",
                doc: "The configuration's access.pepper, as it stands there: env:NAME or file:/path. Without: none."),
            .init("name", "NAME", doc: "What the configuration is to call the key; default app."),
            .init("quiet", doc: "Prints the key and its hash, a line each, and nothing else."),
        ], operands: ["new|hash"])

    /// No key is longer.
    private static let byteCountMax = 512

    static func run(_ arguments: Arguments) throws(UsageError) -> Int32 {
        let pepper = KeyPepper(try secret(arguments.text("pepper")))
        let key: Secret
        switch arguments.operands[0] {
        case "new": key = APIKey.issue()
        case "hash": key = try typed()
        default: throw UsageError("key: new or hash, found \(arguments.operands[0])")
        }
        let hash = key.withExposed { pepper.text(of: pepper.digest(of: $0)) }
        let isNew = arguments.operands[0] == "new"
        if arguments.has("quiet") {
            FileHandleOutput.standardOutput((isNew ? key.exposedText + "\n" : "") + hash + "\n")
        } else {
            let name = arguments.text("name") ?? "app"
            FileHandleOutput.standardOutput(
                (isNew ? "key   \(key.exposedText)\n      It is not shown again: give it to whoever is to use it.\n" : "")
                    + "hash  \(hash)\n\nFor the configuration:\n  access: {keys: {\"\(name)\": {hash: \"\(hash)\", roles: [\"app\"]}}},\n"
            )
        }
        return 0
    }

    private static func secret(_ text: String?) throws(UsageError) -> Secret? {
        guard let text else { return nil }
        if text.hasPrefix("env:") {
            let name = String(text.dropFirst(4))
            if let value = ConfigEnvironment.process.nonEmptyVariable(name) { return Secret(value) }
            throw UsageError("--pepper: the environment variable \(name) is not set")
        }
        guard text.hasPrefix("file:") else {
            throw UsageError("--pepper: env:NAME or file:/path; what stands in a command line is seen by others")
        }
        do throws(ConfigFileError) {
            return Secret(trimmed(try ConfigEnvironment.process.file(String(text.dropFirst(5)), 65_536)).span)
        } catch {
            throw UsageError("--pepper: \(text.dropFirst(5)): \(error)")
        }
    }

    /// The first line of the standard input.
    private static func typed() throws(UsageError) -> Secret {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while bytes.count <= byteCountMax, unsafe read(STDIN_FILENO, &byte, 1) == 1, byte != ASCII.lineFeed {
            bytes.append(byte)
        }
        bytes = trimmed(bytes)
        let key = Secret(bytes.span)
        let isWrong = key.withExposed { APIKey.isClaimed(by: $0) && !APIKey.isWellFormed($0) }
        if isWrong || !(20...byteCountMax ~= bytes.count) {
            throw UsageError("key hash: a key that sluice key new made, or another one of 20 to 512 characters, in the standard input")
        }
        return key
    }

    /// Without the line's end.
    private static func trimmed(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        if bytes.last == ASCII.lineFeed { bytes.removeLast() }
        if bytes.last == ASCII.carriageReturn { bytes.removeLast() }
        return bytes
    }
}
