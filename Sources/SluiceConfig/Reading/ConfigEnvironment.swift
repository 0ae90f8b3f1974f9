package import SluiceCore

/// What a configuration may ask of the world: variables and files.
package struct ConfigEnvironment: Sendable {
    /// The value of an environment variable; `nil` if it is not set.
    package var variable: @Sendable (_ name: String) -> String?
    /// The content of a file of at most `byteCountMax` bytes.
    package var file: @Sendable (_ path: String, _ byteCountMax: Int) throws(ConfigFileError) -> [UInt8]
    /// The names of what is in a folder, in no order.
    package var directory: @Sendable (_ path: String) throws(ConfigFileError) -> [String]

    /// Who may do what with a file, as chmod(1) writes it; `nil` if that is not known.
    package var mode: @Sendable (_ path: String) throws(ConfigFileError) -> Int? = { _ throws(ConfigFileError) in nil }
    /// What a command prints that fetches a key.
    package var command: @Sendable (MasterKeyCommand) throws(MasterKeyCommand.Failure) -> Secret = {
        command throws(MasterKeyCommand.Failure) in try command.run()
    }

    package init(
        variable: @escaping @Sendable (_ name: String) -> String?,
        file: @escaping @Sendable (_ path: String, _ byteCountMax: Int) throws(ConfigFileError) -> [UInt8],
        directory: @escaping @Sendable (_ path: String) throws(ConfigFileError) -> [String] = {
            _ throws(ConfigFileError) in throw .missing
        }
    ) {
        self.variable = variable
        self.file = file
        self.directory = directory
    }

    /// A world of known content.
    package static func fixed(variables: [String: String] = [:], files: [String: [UInt8]] = [:]) -> ConfigEnvironment {
        ConfigEnvironment(
            variable: { variables[$0] },
            file: { path, byteCountMax throws(ConfigFileError) in
                guard let bytes = files[path] else { throw .missing }
                if bytes.count > byteCountMax { throw .tooLarge(byteCountMax: byteCountMax) }
                return bytes
            },
            directory: { path throws(ConfigFileError) in
                let names = files.keys.filter { $0.hasPrefix(path + "/") }.map { String($0.dropFirst(path.count + 1)) }
                if names.isEmpty { throw .missing }
                return names.filter { !$0.contains("/") }
            })
    }

    /// The same world, in which a command that fetches a key runs once.
    package func remembering(_ commands: RememberedCommands) -> ConfigEnvironment {
        var environment = self
        environment.command = { command throws(MasterKeyCommand.Failure) in try commands.output(of: command) }
        return environment
    }

    /// A variable that is set to something: an empty one counts as not set.
    package func nonEmptyVariable(_ name: String) -> String? {
        guard let value = variable(name), !value.isEmpty else { return nil }
        return value
    }
}

/// Why a file could not be read.
package enum ConfigFileError: Error, Equatable, CustomStringConvertible {
    case missing
    case forbidden
    /// A directory, a pipe or a device.
    case notAFile
    case tooLarge(byteCountMax: Int)
    /// Any other failure, with the number of the system's error.
    case system(Int32)

    package var description: String {
        switch self {
        case .missing: "there is no such file"
        case .forbidden: "the file may not be read by this user"
        case .notAFile: "not a file"
        case .tooLarge(let byteCountMax): "the file is larger than \(byteCountMax) bytes"
        case .system(let number): "the file cannot be read (error \(number))"
        }
    }
}
