/// Changes of a configuration's tree.
extension ConfigValue {
    /// The value with a JSON merge patch applied (RFC 7396 §2): objects are merged, `null` removes, anything else replaces.
    package func merging(_ patch: ConfigValue) -> ConfigValue {
        guard case .object(let changes) = patch.kind else { return patch }
        var members: [ConfigMember] = []
        if case .object(let present) = kind { members = present }
        for change in changes {
            let index = members.firstIndex { $0.key == change.key }
            if change.value.kind == .null {
                if let index { members.remove(at: index) }
                continue
            }
            let old = index.map { members[$0].value } ?? ConfigValue(.null)
            let member = ConfigMember(change.key, old.merging(change.value), at: change.location)
            if let index { members[index] = member } else { members.append(member) }
        }
        return ConfigValue(.object(members), at: location)
    }

    /// The members of an object; none of anything else.
    package var members: [ConfigMember] {
        if case .object(let members) = kind { return members }
        return []
    }

    package var text: String? {
        if case .string(let text) = kind { return text }
        return nil
    }

    /// The object with another value for a key, or without the key for `nil`.
    package func setting(_ key: String, to value: ConfigValue?) -> ConfigValue {
        var members = members
        let index = members.firstIndex { $0.key == key }
        if let value {
            if let index { members[index].value = value } else { members.append(ConfigMember(key, value)) }
        } else if let index {
            members.remove(at: index)
        }
        return ConfigValue(.object(members), at: location)
    }

    /// The same content with every key in order: one spelling for what means the same.
    package var sorted: ConfigValue {
        switch kind {
        case .object(let members):
            ConfigValue(.object(members.map { ConfigMember($0.key, $0.value.sorted) }.sorted { $0.key < $1.key }))
        case .list(let elements): ConfigValue(.list(elements.map(\.sorted)))
        default: ConfigValue(kind)
        }
    }

    /// Calls `body` with every value that holds no other, and where it is.
    package func forEachLeaf(at path: String = "", _ body: (_ path: String, ConfigValue) -> Void) {
        switch kind {
        case .object(let members) where !members.isEmpty:
            for member in members { member.value.forEachLeaf(at: ConfigPath.child(of: path, member.key), body) }
        case .list(let elements) where !elements.isEmpty:
            for (index, element) in elements.enumerated() {
                element.forEachLeaf(at: ConfigPath.element(of: path, index), body)
            }
        default: body(path, self)
        }
    }

    /// The same tree with other leaves.
    package func mappingLeaves(at path: String = "", _ change: (_ path: String, ConfigValue) -> ConfigValue) -> ConfigValue {
        switch kind {
        case .object(let members) where !members.isEmpty:
            let changed = members.map { member in
                ConfigMember(
                    member.key, member.value.mappingLeaves(at: ConfigPath.child(of: path, member.key), change),
                    at: member.location)
            }
            return ConfigValue(.object(changed), at: location)
        case .list(let elements) where !elements.isEmpty:
            let changed = elements.enumerated().map { index, element in
                element.mappingLeaves(at: ConfigPath.element(of: path, index), change)
            }
            return ConfigValue(.list(changed), at: location)
        default: return change(path, self)
        }
    }
}
