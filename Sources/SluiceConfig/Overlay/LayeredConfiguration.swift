/// A configuration read from its file and from what the management API keeps.
package struct LayeredConfiguration: Sendable {
    package let outcome: ConfigOutcome<ServerConfiguration>
    /// The file, with what the command line says in its place.
    package let file: ConfigValue
    /// What the API keeps.
    package let units: ConfigUnits
    package let composition: ConfigOverlay.Composition

    /// - Parameters:
    ///   - path: `nil`: there is no file.
    ///   - units: what the API keeps.
    /// - Throws: every mistake, wherever it stands.
    package static func load(
        file path: String?, overrides: ServerConfiguration.Overrides = ServerConfiguration.Overrides(),
        environment: ConfigEnvironment = .process, units: ConfigUnits
    ) throws(ConfigErrors) -> LayeredConfiguration {
        let file = try tree(ofFile: path, overrides: overrides, environment: environment)
        return try load(file: file, at: path, environment: environment, units: units)
    }

    /// - Parameter path: where the file stands that was read.
    package static func load(
        file: ConfigValue, at path: String?, environment: ConfigEnvironment = .process, units: ConfigUnits
    ) throws(ConfigErrors) -> LayeredConfiguration {
        let composition = ConfigOverlay.compose(file: file, units)
        let adapters = path.map { Self.folder(of: $0) + "adapters" }
        var outcome = try ConfigReader.read(composition.document, environment: environment) { section in
            ServerConfiguration.read(section, adaptersBeside: adapters)
        }
        if let path { outcome.files.insert(path, at: 0) }
        return LayeredConfiguration(outcome: outcome, file: file, units: units, composition: composition)
    }

    /// With a slash at its end; empty for the current one.
    private static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    }

    /// What the file says, unread.
    package static func tree(
        ofFile path: String?, overrides: ServerConfiguration.Overrides = ServerConfiguration.Overrides(),
        environment: ConfigEnvironment = .process
    ) throws(ConfigErrors) -> ConfigValue {
        guard let path else { return overrides.applied(to: ConfigValue(.object([]))) }
        return overrides.applied(to: try ConfigReader.parse(try ConfigReader.text(ofFile: path, environment: environment)))
    }
}

/// What has to be known before anything else can be read: where the API's part is kept, and what it may say.
package struct ControlPreface: Sendable {
    package var control = ControlConfiguration()
    package var storage: StorageConfiguration?
    package var secrets: SecretsConfiguration?

    /// - Parameter file: as `LayeredConfiguration.tree` gives it.
    package static func read(
        _ file: ConfigValue, environment: ConfigEnvironment = .process
    ) throws(ConfigErrors) -> ControlPreface {
        let known = file.members.filter { ["secrets", "control", "storage"].contains($0.key) }
        return try ConfigReader.read(ConfigValue(.object(known)), environment: environment) { section in
            var preface = ControlPreface()
            preface.secrets = section.optionalSection("secrets", doc: "", SecretsConfiguration.read)
            if let secrets = preface.secrets { section.adopt(secrets.keys) }
            preface.control = section.section("control", doc: ServerConfiguration.controlDoc, ControlConfiguration.read)
            preface.storage = section.optionalSection("storage", doc: "", StorageConfiguration.read)
            return preface
        }.value
    }
}
