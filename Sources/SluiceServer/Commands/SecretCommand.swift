internal import SluiceConfig
internal import SluiceCore
internal import SluiceTLS

/// `sluice secret ACTION`: makes master keys, and seals and opens secrets. What is secret goes through standard input and
/// output alone: arguments are seen by every process of the machine.
enum SecretCommand {
    static let command = ArgumentParser.Command(
        "secret", summary: "Makes master keys; seals, opens and moves secrets to another key.",
        options: [
            .init("config", "FILE", doc: "The configuration whose `secrets` section names the master keys."),
            .init("key-file", "FILE", doc: "In its place: a file of master keys."),
            .init(
                "for", "SETTING",
                doc: "Where the secret is to stand: providers.openai.api_key. It opens nowhere else."),
        ], operands: ["ACTION"], optionalOperands: ["FILE"],
        details: """
            Actions:
              generate [FILE]   makes a master key; FILE must not exist yet, and only its owner may read it
              encrypt           seals the secret on standard input for --for; prints the sealed value
              decrypt           opens the sealed value on standard input; prints the secret
              rotate [FILE]     seals anew, with the current key, every sealed value of a configuration in its place;
                                without FILE, the one on standard input
              inspect [FILE]    says of each sealed value where it stands, which key sealed it, and whether it opens

            """)

    static let dataStatus: Int32 = 65
    private static let inputByteCountMax = 1 << 20

    static func run(_ arguments: Arguments) throws(UsageError) -> Int32 {
        let file = arguments.operands.count > 1 ? arguments.operands[1] : nil
        do throws(Trouble) {
            switch arguments.operands.first {
            case "generate": try generate(file)
            case "encrypt": try encrypt(arguments)
            case "decrypt": try decrypt(arguments)
            case "rotate": try rotate(arguments, file)
            case "inspect": return try inspect(arguments, file)
            default: throw .usage("actions: generate, encrypt, decrypt, rotate, inspect")
            }
            return 0
        } catch {
            switch error {
            case .usage(let text): throw UsageError(text)
            case .data(let text):
                FileHandleOutput.standardError("sluice secret: \(text)\n")
                return dataStatus
            case .configuration(let errors):
                FileHandleOutput.standardError("\(errors)\n")
                return CommandLineTool.configurationStatus
            }
        }
    }

    enum Trouble: Error {
        case usage(String)
        case data(String)
        case configuration(ConfigErrors)
    }

    // MARK: Actions

    private static func generate(_ file: String?) throws(Trouble) {
        let line = MasterKeys.generate()
        guard let file else { return line.withExposed { SecretFile.print($0) } }
        do throws(SecretFile.Unusable) {
            try line.withExposed { bytes throws(SecretFile.Unusable) in try SecretFile.create(file, bytes) }
        } catch {
            throw .data("\(error)")
        }
        let keys = line.withExposed { try? MasterKeys(text: $0) }
        let id = keys?.currentID.map { "\($0)" } ?? ""
        FileHandleOutput.standardError("\(file): the master key \(id)\n")
    }

    private static func encrypt(_ arguments: Arguments) throws(Trouble) {
        let purpose = try purpose(arguments)
        let vault = try vault(arguments)
        let secret = try input()
        if secret.isEmpty { throw .data("the secret is empty; it is read from standard input") }
        if secret.withExposed({ SecretVault.isSealed($0) }) { throw .data("it is sealed already") }
        do throws(SecretError) {
            FileHandleOutput.standardOutput(try vault.seal(secret, purpose: purpose) + "\n")
        } catch {
            throw .data("\(error)")
        }
    }

    private static func decrypt(_ arguments: Arguments) throws(Trouble) {
        let purpose = try purpose(arguments)
        let vault = try vault(arguments)
        let sealed = try input().exposedText
        do throws(SecretError) {
            try vault.open(sealed, purpose: purpose).withExposed { SecretFile.print($0) }
        } catch {
            throw .data("\(error)")
        }
    }

    private static func rotate(_ arguments: Arguments, _ file: String?) throws(Trouble) {
        guard let file else {
            let purpose = try purpose(arguments)
            let vault = try vault(arguments)
            let sealed = try input().exposedText
            do throws(SecretError) {
                FileHandleOutput.standardOutput((try vault.resealed(sealed, purpose: purpose) ?? sealed) + "\n")
            } catch {
                throw .data("\(error)")
            }
            return
        }
        let vault = try vault(arguments, orOf: file)
        var document = try document(file)
        let moved: Int
        do throws(SealedDocument.Refusal) {
            moved = try document.rotate(vault)
        } catch {
            throw .data("\(file): \(error)")
        }
        if moved > 0 {
            do throws(SecretFile.Unusable) {
                try SecretFile.replace(file, document.bytes.span)
            } catch {
                throw .data("\(error)")
            }
        }
        FileHandleOutput.standardError("\(file): \(moved) of \(document.values.count) sealed values moved\n")
    }

    private static func inspect(_ arguments: Arguments, _ file: String?) throws(Trouble) -> Int32 {
        guard let file else {
            let purpose = arguments.text("for").map(ConfigPath.purpose)
            let text = try input().exposedText
            guard let id = SecretVault.keyID(ofText: text) else { throw .data("\(SecretError.malformed)") }
            let isChecked = purpose != nil && (arguments.has("config") || arguments.has("key-file"))
            let verdict = isChecked ? Self.verdict(text, purpose ?? "", try vault(arguments)) : "not tried"
            FileHandleOutput.standardOutput("key \(id): \(verdict)\n")
            return verdict == opens || !isChecked ? 0 : dataStatus
        }
        let vault = try vault(arguments, orOf: file)
        let document = try document(file)
        var isSound = true
        for value in document.values {
            let verdict = Self.verdict(value.text, value.purpose, vault)
            if verdict != opens { isSound = false }
            let id = SecretVault.keyID(ofText: value.text).map { "\($0)" } ?? "unknown"
            let age = SecretVault.keyID(ofText: value.text) == vault.currentKeyID ? "current" : "old"
            FileHandleOutput.standardOutput(
                "\(value.purpose) (line \(value.location.line)): key \(id) (\(age)): \(verdict)\n")
        }
        if document.values.isEmpty { FileHandleOutput.standardOutput("\(file): no sealed values\n") }
        return isSound ? 0 : dataStatus
    }

    private static let opens = "opens"

    private static func verdict(_ text: String, _ purpose: String, _ vault: SecretVault) -> String {
        do throws(SecretError) {
            _ = try vault.open(text, purpose: purpose)
            return opens
        } catch {
            return "\(error)"
        }
    }

    // MARK: What they need

    private static func purpose(_ arguments: Arguments) throws(Trouble) -> String {
        guard let setting = arguments.text("for"), !setting.isEmpty else {
            throw .usage("--for SETTING is missing: where the secret stands, as providers.openai.api_key")
        }
        return ConfigPath.purpose(of: setting)
    }

    private static func vault(_ arguments: Arguments, orOf file: String? = nil) throws(Trouble) -> SecretVault {
        let keys: MasterKeys
        do throws(ConfigErrors) {
            if let keyFile = arguments.text("key-file") {
                keys = try SecretsConfiguration.keys(ofFile: keyFile)
            } else if let config = arguments.text("config") ?? file {
                keys = try SecretsConfiguration.load(file: config)?.keys ?? .none
            } else {
                throw ConfigErrors([
                    ConfigMistake(path: "", location: nil, message: "--config FILE or --key-file FILE is missing")
                ])
            }
        } catch {
            throw .configuration(error)
        }
        if keys.currentID == nil { throw .data("\(SecretError.noKey)") }
        return SecretVault(keys)
    }

    private static func document(_ file: String) throws(Trouble) -> SealedDocument {
        do throws(ConfigErrors) {
            return try SealedDocument(try ConfigReader.text(ofFile: file, environment: .process))
        } catch {
            throw .configuration(error)
        }
    }

    private static func input() throws(Trouble) -> Secret {
        guard let secret = SecretFile.standardInput(byteCountMax: inputByteCountMax) else {
            throw .data("more than \(inputByteCountMax) bytes on standard input, or none can be read")
        }
        return secret
    }
}
