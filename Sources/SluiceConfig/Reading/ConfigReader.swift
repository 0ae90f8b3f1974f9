/// A configuration that was read without a mistake.
package struct ConfigOutcome<Value> {
    package var value: Value
    /// Everything that holds, defaults included, secrets masked and `${NAME}` as written.
    package var effective: ConfigValue
    /// What is written, before anything was filled in or opened. It holds secrets; to compare, not to show.
    package var written: ConfigValue
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
            value: result, effective: ConfigValue(.object(section.effective)), written: value,
            files: context.files)
    }

    /// Reads a configuration text; a mistake in its syntax is thrown alone.
    package static func read<Value>(
        text: [UInt8], environment: ConfigEnvironment, _ body: (ConfigSection) -> Value
    ) throws(ConfigErrors) -> ConfigOutcome<Value> {
        try read(parse(text), environment: environment, body)
    }

    /// The tree of a configuration text.
    package static func parse(_ text: [UInt8]) throws(ConfigErrors) -> ConfigValue {
        do {
            return try ConfigText.parse(text)
        } catch {
            throw ConfigErrors(error)
        }
    }

    /// The text of a configuration file.
    package static func text(ofFile path: String, environment: ConfigEnvironment) throws(ConfigErrors) -> [UInt8] {
        do {
            return try environment.file(path, ConfigText.byteCountMax)
        } catch {
            throw ConfigErrors([ConfigMistake(path: path, location: nil, message: error.description)])
        }
    }
}
