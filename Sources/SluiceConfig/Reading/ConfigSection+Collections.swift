internal import SluiceCore

/// Sections within sections.
extension ConfigSection {
    /// A section that has all its defaults when it is not given.
    package func section<Value>(_ key: String, doc: String, _ body: (ConfigSection) -> Value) -> Value {
        let value = take(ConfigField(key: key, type: "object", doc: doc))
        return descend(key, value ?? ConfigValue(.object([]), at: location), doc, body)
    }

    /// A section that is `nil` when it is not given, or given as `null`.
    package func optionalSection<Value>(_ key: String, doc: String, _ body: (ConfigSection) -> Value) -> Value? {
        var field = ConfigField(key: key, type: "object", doc: doc)
        field.defaultValue = .null
        if let value = take(field), value.kind != .null { return descend(key, value, doc, body) }
        if isDescribing { return descend(key, ConfigValue(.object([])), doc, body) }
        if has(key) { keep(key, ConfigValue(.null)) }
        return nil
    }

    private func descend<Value>(
        _ key: String, _ value: ConfigValue, _ doc: String, _ body: (ConfigSection) -> Value
    ) -> Value {
        let (result, effective) = read(value, path: ConfigPath.child(of: path, key), doc, body)
        keep(key, effective)
        return result
    }

    /// A list of objects; one object stands for a list of one.
    ///
    /// - Parameter countWhenAbsent: how many elements with all their defaults there are when the key is not given.
    package func list<Value>(
        _ key: String, count: ClosedRange<Int> = 0...1000, countWhenAbsent: Int = 0, doc: String,
        _ body: (ConfigSection) -> Value
    ) -> [Value] {
        let whole = ConfigPath.child(of: path, key)
        let field = ConfigField(
            key: key, type: "list of objects", allowed: "\(count.shown) entries",
            isRequired: countWhenAbsent < count.lowerBound, doc: doc)
        let taken = take(field)
        if isDescribing { return [read(ConfigValue(.object([])), path: whole + "[]", doc, body).value] }
        let empty = ConfigValue(.object([]), at: location)
        let value = taken ?? ConfigValue(.list(Array(repeating: empty, count: countWhenAbsent)), at: location)
        var elements = [value]
        if case .list(let all) = value.kind {
            elements = all
            if taken != nil, !isAllowed(all.count, count, key, value) { return [] }
        }
        var results: [Value] = []
        var shown: [ConfigValue] = []
        for (index, element) in elements.enumerated() {
            let (result, effective) = read(element, path: ConfigPath.element(of: whole, index), doc, body)
            results.append(result)
            shown.append(effective)
        }
        keep(key, ConfigValue(.list(shown)))
        return results
    }

    /// An object whose keys are names and whose values are objects, in the order of the text.
    package func dictionary<Value>(
        _ key: String, names: ConfigNames, count: ClosedRange<Int> = 0...10_000, doc: String,
        _ body: (_ name: String, ConfigSection) -> Value
    ) -> [Value] {
        let whole = ConfigPath.child(of: path, key)
        let value = take(ConfigField(key: key, type: "objects by name", allowed: names.allowed, doc: doc))
        if isDescribing {
            return [read(ConfigValue(.object([])), path: whole + ".<name>", doc) { body("", $0) }.value]
        }
        var results: [Value] = []
        var shown: [ConfigMember] = []
        for member in entries(key, value, names, count) {
            let path = ConfigPath.child(of: whole, member.key)
            let (result, effective) = read(member.value, path: path, doc) { body(member.key, $0) }
            results.append(result)
            shown.append(ConfigMember(member.key, effective))
        }
        keep(key, ConfigValue(.object(shown)))
        return results
    }

    /// An object whose keys are names and whose values are single values, in the order of the text.
    package func dictionary<Value>(
        _ key: String, of rule: ConfigRule<Value>, names: ConfigNames, count: ClosedRange<Int> = 0...1000, doc: String
    ) -> [(name: String, value: Value)] {
        let whole = ConfigPath.child(of: path, key)
        let value = take(ConfigField(key: key, type: "\(rule.type) by name", allowed: names.allowed, doc: doc))
        let entries = entries(key, value, names, count)
        if isDescribing { return [] }
        let (results, effective) = read(ConfigValue(.object(entries)), path: whole, doc) { section in
            entries.map { (name: $0.key, value: section.required($0.key, rule, doc: doc)) }
        }
        keep(key, effective)
        return results
    }

    private func entries(
        _ key: String, _ value: ConfigValue?, _ names: ConfigNames, _ count: ClosedRange<Int>
    ) -> [ConfigMember] {
        guard let value else { return [] }
        guard case .object(let members) = value.kind else {
            mistake(key, "an object, found \(value.kind.name)")
            return []
        }
        if !isAllowed(members.count, count, key, value) { return [] }
        for member in members where !names.isAllowed(member.key) {
            let path = ConfigPath.child(of: ConfigPath.child(of: path, key), member.key)
            context.report(ConfigMistake(path: path, location: member.location, message: names.allowed))
        }
        return members
    }

    private func read<Value>(
        _ value: ConfigValue, path: String, _ doc: String, _ body: (ConfigSection) -> Value
    ) -> (value: Value, effective: ConfigValue) {
        guard case .object(let members) = value.kind else {
            context.report(
                ConfigMistake(
                    path: path, location: value.location, message: "an object, found \(value.kind.name)"))
            // Without values everything would be missing: what that reports is not news.
            let muted = ConfigContext(environment: context.environment)
            let section = ConfigSection(path: path, location: value.location, members: [], context: muted, doc: doc)
            return (body(section), ConfigValue(.object([])))
        }
        let section = ConfigSection(path: path, location: value.location, members: members, context: context, doc: doc)
        let result = body(section)
        section.finish()
        return (result, ConfigValue(.object(section.effective), at: value.location))
    }
}

/// Which names the keys of a dictionary may be.
package struct ConfigNames: Sendable {
    package var allowed: String
    package var isAllowed: @Sendable (String) -> Bool

    package init(_ allowed: String, _ isAllowed: @escaping @Sendable (String) -> Bool) {
        self.allowed = allowed
        self.isAllowed = isAllowed
    }

    /// For things whose names come back in logs, metrics and paths.
    package static let identifier = ConfigNames("a name of 1 to 64 letters, digits, \".\", \"_\" and \"-\"") { name in
        1...64 ~= name.utf8.count
            && name.utf8.allSatisfy { $0.isASCIILetter || $0.isDecimalDigit || ".-_".utf8.contains($0) }
    }

    /// For models, and patterns of their names.
    package static let modelPattern = ConfigNames(model.allowed + ", and one \"*\"") { name in
        name.utf8.count { $0 == UInt8(ascii: "*") } <= 1
            && (name == "*" || model.isAllowed(String(name.filter { $0 != "*" })))
    }

    /// For models: what providers call theirs has slashes, colons, at signs and plus signs as well.
    package static let model = ConfigNames("a name of 1 to 256 letters, digits and any of \". _ - / : @ +\"") { name in
        1...256 ~= name.utf8.count
            && name.utf8.allSatisfy { $0.isASCIILetter || $0.isDecimalDigit || "._-/:@+".utf8.contains($0) }
    }
}
