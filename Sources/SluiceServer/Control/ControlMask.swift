internal import SluiceConfig
internal import SluiceTLS

/// What is shown in the place of secrets that are kept, and taken back for "as it was".
enum ControlMask {
    static let set = "<set>"
    static let sealed = "<sealed>"

    private static let paths = SecretPaths(ConfigReference.describe { _ = ServerConfiguration.read($0) })

    /// The document without its secrets: references to variables and files stay, as they are none.
    static func masking(_ document: ConfigValue) -> ConfigValue {
        paths.masking(document) { leaf in
            guard let text = leaf.text else { return ConfigValue(.string(set)) }
            if text.hasPrefix("env:") || text.hasPrefix("file:") { return leaf }
            return ConfigValue(.string(text.hasPrefix("sealed:") ? sealed : set))
        }
    }

    static func masking(_ units: ConfigUnits) -> ConfigUnits {
        (try? ConfigOverlay.units(of: masking(ConfigOverlay.document(of: units)))) ?? [:]
    }

    /// Whether a document holds a secret itself, and not where to find it.
    static func holdsSecrets(_ document: ConfigValue) -> Bool {
        var found = false
        masking(document).forEachLeaf { _, leaf in
            if case .string(set) = leaf.kind { found = true }
        }
        return found
    }

    /// A value as it was sent, with the secrets that were there in the place of their masks.
    ///
    /// - Throws: where there was nothing to stay as it was.
    static func restoring(
        _ value: ConfigValue, from old: ConfigValue?, at path: String
    ) throws(ManagementError) -> ConfigValue {
        switch value.kind {
        case .string(set), .string(sealed):
            guard let old, old.text != nil else {
                throw ManagementError(
                    .invalidConfiguration,
                    "\(path) is shown as \(value.text ?? "") for a secret, and there is none: send the secret.",
                    param: path)
            }
            return old
        case .object(let members):
            var changed: [ConfigMember] = []
            for member in members {
                let inner = try restoring(
                    member.value, from: old?[member.key], at: ConfigPath.child(of: path, member.key))
                changed.append(ConfigMember(member.key, inner, at: member.location))
            }
            return ConfigValue(.object(changed), at: value.location)
        case .list(let elements):
            var olds: [ConfigValue] = []
            if case .list(let all)? = old?.kind { olds = all }
            var changed: [ConfigValue] = []
            for (index, element) in elements.enumerated() {
                changed.append(
                    try restoring(
                        element, from: index < olds.count ? olds[index] : nil, at: ConfigPath.element(of: path, index)))
            }
            return ConfigValue(.list(changed), at: value.location)
        default: return value
        }
    }
}
