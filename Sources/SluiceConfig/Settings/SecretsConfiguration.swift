internal import SluiceCore
package import SluiceTLS

/// Where master keys come from, and what is done so that secrets stay inside.
package struct SecretsConfiguration: Sendable, Equatable {
    /// The current key first. Empty: nothing can be sealed or opened.
    package var keys = MasterKeys.none
    /// `nil`: the keys come from elsewhere.
    package var keyCommand: MasterKeyCommand?
    /// Whether a crash may leave an image of the memory. Default false.
    package var allowsCoreDumps = false
    /// Sealed values that are moved to a new key in a second, 1 to 1,000,000. Default 2000.
    package var resealedPerSecond = 2000
    /// Which settings were sealed, and with which keys.
    package var sealedSettings: [Named<SecretKeyID>] = []

    package init() {}

    package static func read(_ section: ConfigSection) -> Self {
        var secrets = Self()
        let file = section.optional(
            "key_file", .filePath,
            doc:
                "A file of master keys, one a line, as `sluice secret generate` writes them: the first seals, all open. It is read again when it changes."
        )
        let variable = section.optionalString(
            "key_env", bytes: 1...256, doc: "In place of `key_file`: the environment variable that holds such lines.")
        let command = readCommand(section)
        let old = section.values(
            "old_key_files", .filePath, count: 0...16, doc: "Files of more keys, which only open what they once sealed.")
        let isShared = section.boolean(
            "allow_shared_key_file", default: false,
            doc: "Accepts key files that the group or others may read. Otherwise they are refused.")
        secrets.allowsCoreDumps = section.boolean(
            "core_dumps", default: secrets.allowsCoreDumps,
            doc: "Lets a crash leave an image of the memory, with every secret in it. Takes effect at the start.")
        secrets.resealedPerSecond = section.integer(
            "reseal_per_second", default: secrets.resealedPerSecond, in: 1...1_000_000,
            doc: "How many stored values are sealed anew in a second after a rotation.")
        if section.isDescribing { return secrets }
        if [file != nil, variable != nil, command != nil].filter(\.self).count > 1 {
            section.mistake("one of key_file, key_env and key_command")
            return secrets
        }
        secrets.keyCommand = command
        let source = KeySource(section: section, isSharedAllowed: isShared)
        if let file { secrets.keys = source.keys(ofFile: file, "key_file") }
        if let variable { secrets.keys = source.keys(ofVariable: variable) }
        if let command { secrets.keys = source.keys(of: command) }
        for path in old { secrets.keys = secrets.keys.adding(source.keys(ofFile: path, "old_key_files")) }
        return secrets
    }

    /// Reads nothing but this section of a configuration file, so that keys are found even where a sealed value does not open.
    ///
    /// - Returns: `nil` if the file has no such section.
    package static func load(
        file: String, environment: ConfigEnvironment = .process
    ) throws(ConfigErrors) -> SecretsConfiguration? {
        let root = try ConfigReader.parse(try ConfigReader.text(ofFile: file, environment: environment))
        guard let section = root["secrets"], section.kind != .null else { return nil }
        let alone = ConfigValue(.object([ConfigMember("secrets", section)]))
        return try ConfigReader.read(alone, environment: environment) { root in
            root.optionalSection("secrets", doc: "", SecretsConfiguration.read)
        }.value
    }

    /// The master keys in a file, as `key_file` reads them.
    package static func keys(
        ofFile path: String, environment: ConfigEnvironment = .process
    ) throws(ConfigErrors) -> MasterKeys {
        let section = ConfigValue(.object([ConfigMember("key_file", ConfigValue(.string(path)))]))
        return try ConfigReader.read(section, environment: environment, SecretsConfiguration.read).value.keys
    }

    private static func readCommand(_ section: ConfigSection) -> MasterKeyCommand? {
        let arguments = section.strings(
            "key_command", bytes: 1...4096, count: 0...64,
            doc:
                "In place of `key_file`: a program by its absolute path, and its arguments, that prints such lines. It runs at the start and on SIGHUP, without a shell."
        )
        let variables = section.strings(
            "key_command_env", bytes: 1...256, count: 0...64,
            doc: "Environment variables that `key_command` is given. It has PATH, and no others.")
        let timeout = section.duration(
            "key_command_timeout_ms", default: .seconds(10), in: 100...60_000, doc: "How long `key_command` may take.")
        guard let program = arguments.first else { return nil }
        if !program.hasPrefix("/") {
            section.mistake("key_command", "a program by its absolute path, found \(section.written("key_command"))")
            return nil
        }
        var command = MasterKeyCommand(arguments: arguments)
        command.variables = variables
        command.timeout = timeout
        return command
    }
}

/// Reads master keys from where the configuration says they are. What is wrong is noted; nothing secret is repeated.
private struct KeySource {
    let section: ConfigSection
    let isSharedAllowed: Bool

    func keys(ofFile path: String, _ setting: String) -> MasterKeys {
        section.watch(path)
        do throws(ConfigFileError) {
            if !isSharedAllowed, let mode = try section.environment.mode(path), mode & 0o077 != 0 {
                section.mistake(
                    setting,
                    "\(ConfigPath.quoted(path)) may be read by others than its owner (mode \(String(mode, radix: 8))); "
                        + "make it 600, or set allow_shared_key_file: true")
                return .none
            }
            var bytes = try section.environment.file(path, MasterKeys.textByteCountMax)
            defer { for index in bytes.indices { bytes[index] = 0 } }
            return parse(bytes.span, setting, ConfigPath.quoted(path))
        } catch {
            section.mistake(setting, "\(ConfigPath.quoted(path)): \(error)")
            return .none
        }
    }

    func keys(ofVariable name: String) -> MasterKeys {
        guard let text = section.environment.nonEmptyVariable(name) else {
            section.mistake("key_env", "the environment variable \(ConfigPath.quoted(name)) is not set")
            return .none
        }
        return parse(text.utf8Span.span, "key_env", "the environment variable \(ConfigPath.quoted(name))")
    }

    func keys(of command: MasterKeyCommand) -> MasterKeys {
        do throws(MasterKeyCommand.Failure) {
            let output = try section.environment.command(command)
            return output.withExposed { parse($0, "key_command", "its output") }
        } catch {
            section.mistake("key_command", "\(error)")
            return .none
        }
    }

    private func parse(_ text: Span<UInt8>, _ setting: String, _ place: String) -> MasterKeys {
        do throws(MasterKeys.Unreadable) {
            return try MasterKeys(text: text)
        } catch {
            section.mistake(setting, "\(place): \(error)")
            return .none
        }
    }
}
