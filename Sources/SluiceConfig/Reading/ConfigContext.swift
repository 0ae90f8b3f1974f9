internal import SluiceCore
internal import SluiceTLS

/// What all sections of one reading share: the world, the mistakes so far, and the reference being written.
package final class ConfigContext {
    /// The largest secret in a file, in bytes.
    static let secretByteCountMax = 64 << 10

    let environment: ConfigEnvironment
    /// The reference, if this reading is one to describe the settings; there are no values then.
    var reference: ConfigReference?
    private(set) var mistakes: [ConfigMistake] = []
    /// Files whose content the configuration depends on.
    private(set) var files: [String] = []

    /// Opens sealed values, once the master keys have been read.
    let vault = SecretVault()
    /// Where the value stands that is being read.
    var place = ""
    /// Which settings were sealed, and with which key.
    private(set) var sealedSettings: [Named<SecretKeyID>] = []

    var isDescribing: Bool { reference != nil }

    init(environment: ConfigEnvironment, reference: ConfigReference? = nil) {
        self.environment = environment
        self.reference = reference
    }

    func report(_ mistake: ConfigMistake) { mistakes.append(mistake) }

    /// Notes a file or folder that the configuration depends on.
    func watch(_ path: String) { if !files.contains(path) { files.append(path) } }

    func noteSealed(_ place: String, _ key: SecretKeyID) { sealedSettings.append(Named(place, key)) }

    // MARK: What a value says

    func text(of value: ConfigValue) throws(ConfigRefusal) -> String {
        guard case .string(let raw) = value.kind else { throw .notAllowed }
        let text = try substituted(raw)
        // It would be sent, shown or compared as it stands.
        if SecretVault.isSealed(text) { throw .because("a value that is not sealed: this setting is no secret") }
        return text
    }

    /// An integer, or a string that a variable made one: `"${WORKERS}"`.
    func integer(of value: ConfigValue) throws(ConfigRefusal) -> Int? {
        switch value.kind {
        case .integer(let number): number
        case .string(let raw) where Substitution.isNeeded(in: raw): Int(try substituted(raw))
        default: nil
        }
    }

    func number(of value: ConfigValue) throws(ConfigRefusal) -> Double? {
        switch value.kind {
        case .integer(let number): Double(number)
        case .number(let number): number
        case .string(let raw) where Substitution.isNeeded(in: raw): Double(try substituted(raw))
        default: nil
        }
    }

    func boolean(of value: ConfigValue) throws(ConfigRefusal) -> Bool? {
        switch value.kind {
        case .boolean(let flag): flag
        case .string(let raw) where Substitution.isNeeded(in: raw): Bool(try substituted(raw))
        default: nil
        }
    }

    /// `file:` and `env:` count only as they are written in the configuration, not in what a variable holds.
    ///
    /// What they hold, and what is written, may be sealed.
    func secret(of value: ConfigValue) throws(ConfigRefusal) -> Secret {
        try opened(try written(value))
    }

    private func written(_ value: ConfigValue) throws(ConfigRefusal) -> Secret {
        guard case .string(let raw) = value.kind else { throw .notAllowed }
        if raw.hasPrefix("file:") {
            let written = String(raw.dropFirst(5))
            let path = try substituted(written)
            if path.isEmpty || path.utf8.contains(0) { throw .because("\"file:\" without a path") }
            var bytes = try content(ofFile: path, writtenAs: written, byteCountMax: Self.secretByteCountMax)
            if bytes.last == ASCII.lineFeed { bytes.removeLast() }
            if bytes.last == ASCII.carriageReturn { bytes.removeLast() }
            return Secret(bytes.span)
        }
        if raw.hasPrefix("env:") {
            let name = String(raw.dropFirst(4))
            if let text = environment.variable(name) { return Secret(text) }
            throw .because("the environment variable \(ConfigPath.quoted(name)) is not set")
        }
        return Secret(try substituted(raw))
    }

    /// - Parameter written: the path as an error repeats it, without what variables hold.
    func content(
        ofFile path: String, writtenAs written: String, byteCountMax: Int
    ) throws(ConfigRefusal) -> [UInt8] {
        watch(path)
        do {
            return try environment.file(path, byteCountMax)
        } catch {
            throw .because("\(ConfigPath.quoted(written)): \(error)")
        }
    }

    private func substituted(_ raw: String) throws(ConfigRefusal) -> String {
        if !Substitution.isNeeded(in: raw) { return raw }
        do {
            return try Substitution.apply(to: raw, environment)
        } catch {
            throw .because(error.message)
        }
    }
}
