package import SluiceTLS

/// An object of a configuration, read key by key.
///
/// Reading never stops at a mistake: it is noted, a placeholder is returned, and `ConfigReader` throws the whole list
/// at the end. A key that nobody read is a mistake too. The same calls, made without a text, write the reference.
package final class ConfigSection {
    /// Where this is: `providers.openai.pool`; empty for the whole configuration.
    package let path: String
    package let location: ConfigLocation
    let context: ConfigContext
    private let members: [ConfigMember]
    private let referenceIndex: Int
    private var readKeys: [String] = []
    private var refusedKeys: Set<String> = []
    private var secretKeys: Set<String> = []
    /// What was read, defaults included and secrets masked.
    private(set) var effective: [ConfigMember] = []

    init(
        path: String, location: ConfigLocation, members: [ConfigMember], context: ConfigContext, doc: String
    ) {
        self.path = path
        self.location = location
        self.members = members
        self.context = context
        referenceIndex = context.reference?.addSection(path: path, doc: doc) ?? 0
    }

    /// Whether this reading is one to describe the settings: nothing has a value, and nothing is wrong.
    package var isDescribing: Bool { context.isDescribing }
    package var environment: ConfigEnvironment { context.environment }

    /// Opens sealed values with these keys from here on.
    package func adopt(_ keys: MasterKeys) { context.vault.adopt(keys) }
    /// The settings so far that were sealed.
    package var sealedSettings: [Named<SecretKeyID>] { context.sealedSettings }

    /// Notes a file or folder that the configuration depends on.
    package func watch(_ path: String) { context.watch(path) }

    // MARK: Single values

    /// A setting that has a default.
    package func value<Value>(
        _ key: String, _ rule: ConfigRule<Value>, default fallback: Value, doc: String
    ) -> Value {
        let field = ConfigField(key: key, rule, default: rule.show(fallback), doc: doc)
        guard let value = take(field) else { return fallback }
        return read(value, field, rule) ?? rule.placeholder
    }

    /// A setting that must be given.
    package func required<Value>(_ key: String, _ rule: ConfigRule<Value>, doc: String) -> Value {
        let field = ConfigField(key: key, rule, default: nil, isRequired: true, doc: doc)
        guard let value = take(field) else { return rule.placeholder }
        return read(value, field, rule) ?? rule.placeholder
    }

    /// A setting that may be `null`, which means none. If it is not given it is `fallback`.
    package func optional<Value>(
        _ key: String, _ rule: ConfigRule<Value>, default fallback: Value? = nil, doc: String
    ) -> Value? {
        let field = ConfigField(
            key: key, rule, default: fallback.map(rule.show) ?? .null, isNullable: true, doc: doc)
        guard let value = take(field) else { return fallback }
        if value.kind == .null {
            keep(key, value)
            return nil
        }
        return read(value, field, rule) ?? rule.placeholder
    }

    /// A list of values; one value stands for a list of one.
    package func values<Value>(
        _ key: String, _ rule: ConfigRule<Value>, default fallback: [Value] = [], count: ClosedRange<Int> = 0...1000,
        doc: String
    ) -> [Value] {
        var field = ConfigField(key: key, rule, default: .list(fallback.map { ConfigValue(rule.show($0)) }), doc: doc)
        field.type = "\(field.type), or a list of them"
        guard let value = take(field) else { return fallback }
        guard case .list(let elements) = value.kind else { return read(value, field, rule).map { [$0] } ?? [] }
        guard isAllowed(elements.count, count, key, value) else { return [] }
        var results: [Value] = []
        for (index, element) in elements.enumerated() {
            do {
                context.place = ConfigPath.child(of: path, key)
                results.append(try rule.read(element, context))
            } catch {
                refuse(field, element, error, path: ConfigPath.element(of: ConfigPath.child(of: path, key), index))
            }
        }
        let shown = rule.isSecret ? elements.map { ConfigValue(.string("<secret>"), at: $0.location) } : elements
        keep(key, ConfigValue(.list(shown), at: value.location))
        return results
    }

    private func read<Value>(_ value: ConfigValue, _ field: ConfigField, _ rule: ConfigRule<Value>) -> Value? {
        do {
            context.place = ConfigPath.child(of: path, field.key)
            let result = try rule.read(value, context)
            keep(field.key, rule.isSecret ? ConfigValue(.string("<secret>"), at: value.location) : value)
            return result
        } catch {
            refuse(field, value, error, path: ConfigPath.child(of: path, field.key))
            return nil
        }
    }

    // MARK: Mistakes

    /// Whether the text has this key.
    package func has(_ key: String) -> Bool { members.contains { $0.key == key } }

    /// Notes a mistake in the value of `key`, unless that value has been refused already.
    ///
    /// - Parameter message: what is allowed and what was found: see `written`.
    package func mistake(_ key: String, _ message: String) {
        if isDescribing || !refusedKeys.insert(key).inserted { return }
        let member = members.first { $0.key == key }
        context.report(
            ConfigMistake(
                path: ConfigPath.child(of: path, key), location: member?.value.location ?? location, message: message))
    }

    /// Where the value of `key` stands, for a mistake that shows only later.
    package func place(of key: String) -> (path: String, location: ConfigLocation) {
        let member = members.first { $0.key == key }
        return (ConfigPath.child(of: path, key), member?.value.location ?? location)
    }

    /// What is written as the value of `key`, for a message: variables are not filled in, and a secret is not shown.
    package func written(_ key: String) -> String {
        guard let value = members.first(where: { $0.key == key })?.value else { return "nothing" }
        return secretKeys.contains(key) ? value.kind.name : value.shown
    }

    /// Notes a mistake in the section as a whole.
    package func mistake(_ message: String) {
        if isDescribing { return }
        context.report(ConfigMistake(path: path, location: location, message: message))
    }

    /// Notes a mistake in something else that belongs to the configuration, as an environment variable.
    package func mistake(_ mistake: ConfigMistake) {
        if !isDescribing { context.report(mistake) }
    }

    private func refuse(_ field: ConfigField, _ value: ConfigValue, _ refusal: ConfigRefusal, path: String) {
        refusedKeys.insert(field.key)
        let message =
            switch refusal {
            case .notAllowed: "\(field.allowed), found \(field.isSecret ? value.kind.name : value.shown)"
            case .because(let reason): reason
            }
        context.report(ConfigMistake(path: path, location: value.location, message: message))
    }

    func isAllowed(_ found: Int, _ allowed: ClosedRange<Int>, _ key: String, _ value: ConfigValue) -> Bool {
        if allowed.contains(found) { return true }
        mistake(key, "\(allowed.shown) entries, found \(found)")
        return false
    }

    // MARK: The walk

    /// The value of a key, which counts as read from now on.
    func take(_ field: ConfigField) -> ConfigValue? {
        precondition(!readKeys.contains(field.key), "\(ConfigPath.child(of: path, field.key)) is read twice")
        readKeys.append(field.key)
        if field.isSecret { secretKeys.insert(field.key) }
        if isDescribing {
            context.reference?.add(field, toSection: referenceIndex)
            return nil
        }
        if let member = members.first(where: { $0.key == field.key }) { return member.value }
        if field.isRequired { mistake(field.key, "required: \(field.allowed)") }
        if let fallback = field.defaultValue { keep(field.key, ConfigValue(fallback)) }
        return nil
    }

    func keep(_ key: String, _ value: ConfigValue) { effective.append(ConfigMember(key, value)) }

    /// Call when everything has been read: what is left over is unknown.
    func finish() {
        if isDescribing { return }
        for member in members where !readKeys.contains(member.key) {
            let nearest = Suggestion.nearest(to: member.key, among: readKeys)
            let question = nearest.map { ", did you mean \"\($0)\"?" } ?? ";"
            context.report(
                ConfigMistake(
                    path: ConfigPath.child(of: path, member.key), location: member.location,
                    message: "unknown key\(question) allowed: \(readKeys.sorted().joined(separator: ", "))"))
        }
    }
}

extension ConfigValue {
    /// As it stands in an error: what is written there, with `${NAME}` as it is.
    fileprivate var shown: String {
        switch kind {
        case .integer(let number): String(number)
        case .number(let number): String(number)
        case .string(let text): ConfigPath.quoted(text)
        case .null, .boolean, .list, .object: kind.name
        }
    }
}
