/// A configuration that was read without a mistake.
package struct ConfigOutcome<Value> {
    package var value: Value
    /// Everything that holds, defaults included, secrets masked and `${NAME}` as written.
    package var effective: ConfigValue
    /// The files whose content went into it: when one changes, read again.
    package var files: [String]
}

extension ConfigOutcome: Sendable where Value: Sendable {}

package enum ConfigReader {
    /// Reads a configuration with the code in `body`.
    ///
    /// - Throws: every mistake that was found. What `body` returned is then of no use.
    package static func read<Value>(
        _ value: ConfigValue, environment: ConfigEnvironment, _ body: (ConfigSection) -> Value
    ) throws(ConfigErrors) -> ConfigOutcome<Value> {
        guard case .object(let members) = value.kind else {
            throw ConfigErrors([
                ConfigMistake(path: "", location: value.location, message: "an object, found \(value.kind.name)")
            ])
        }
        let context = ConfigContext(environment: environment)
        let section = ConfigSection(path: "", location: value.location, members: members, context: context, doc: "")
        let result = body(section)
        section.finish()
        if !context.mistakes.isEmpty { throw ConfigErrors(context.mistakes) }
        return ConfigOutcome(
            value: result, effective: ConfigValue(.object(section.effective)), files: context.files)
    }

    /// Reads a configuration text; a mistake in its syntax is thrown alone.
    package static func read<Value>(
        text: [UInt8], environment: ConfigEnvironment, _ body: (ConfigSection) -> Value
    ) throws(ConfigErrors) -> ConfigOutcome<Value> {
        let value: ConfigValue
        do {
            value = try ConfigText.parse(text)
        } catch {
            throw ConfigErrors(error)
        }
        return try read(value, environment: environment, body)
    }

    /// Reads a configuration file.
    package static func read<Value>(
        file path: String, environment: ConfigEnvironment, _ body: (ConfigSection) -> Value
    ) throws(ConfigErrors) -> ConfigOutcome<Value> {
        let text: [UInt8]
        do {
            text = try environment.file(path, ConfigText.byteCountMax)
        } catch {
            throw ConfigErrors([ConfigMistake(path: path, location: nil, message: error.description)])
        }
        var outcome = try read(text: text, environment: environment, body)
        outcome.files.insert(path, at: 0)
        return outcome
    }
}
