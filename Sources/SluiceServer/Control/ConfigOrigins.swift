internal import SluiceConfig

/// The configuration that holds, defaults included and secrets not, and where every setting of it comes from.
struct ConfigOrigins {
    let config: ConfigValue
    /// `file`, `api` or `default`, by path.
    private(set) var origins = ConfigValue(.object([]))

    private var entries: [ConfigMember] = []
    private let api: Set<ConfigUnit>

    init(_ layered: LayeredConfiguration) {
        api = layered.composition.api
        config = Self.shown(layered.outcome.effective, layered.composition.document)
        walk(config, layered.composition.document, at: "", [])
        origins = ConfigValue(.object(entries))
    }

    /// With the masks that the API shows; what names a variable or a file is no secret.
    private static func shown(_ effective: ConfigValue, _ written: ConfigValue?) -> ConfigValue {
        switch effective.kind {
        case .string("<secret>"):
            guard let text = written?.text else { return ConfigValue(.string(ControlMask.set)) }
            if text.hasPrefix("env:") || text.hasPrefix("file:") { return ConfigValue(.string(text)) }
            return ConfigValue(.string(text.hasPrefix("sealed:") ? ControlMask.sealed : ControlMask.set))
        case .object(let members):
            return ConfigValue(.object(members.map { ConfigMember($0.key, shown($0.value, written?[$0.key])) }))
        case .list(let elements):
            let others = list(written)
            return ConfigValue(.list(elements.enumerated().map { shown($1, $0 < others.count ? others[$0] : nil) }))
        default: return effective
        }
    }

    /// One value alone may stand without a list around it.
    private static func list(_ value: ConfigValue?) -> [ConfigValue] {
        guard let value else { return [] }
        if case .list(let elements) = value.kind { return elements }
        return [value]
    }

    private mutating func walk(_ value: ConfigValue, _ written: ConfigValue?, at path: String, _ names: [String]) {
        switch value.kind {
        case .object(let members) where !members.isEmpty:
            for member in members {
                walk(
                    member.value, written?[member.key], at: ConfigPath.child(of: path, member.key), names + [member.key]
                )
            }
        case .list(let elements) where !elements.isEmpty:
            let others = Self.list(written)
            for (index, element) in elements.enumerated() {
                let other = index < others.count ? others[index] : nil
                let name = other?["name"]?.text ?? "\(index)"
                walk(element, other, at: ConfigPath.element(of: path, index), names + [name])
            }
        default:
            let origin = written == nil ? "default" : isFromAPI(names) ? "api" : "file"
            entries.append(ConfigMember(path, ConfigValue(.string(origin))))
        }
    }

    private func isFromAPI(_ names: [String]) -> Bool {
        guard let first = names.first else { return false }
        if api.contains(ConfigUnit(section: first)) { return true }
        if names.count > 1, api.contains(ConfigUnit(section: first, name: names[1])) { return true }
        guard names.count > 2 else { return false }
        return api.contains(ConfigUnit(section: "\(first).\(names[1])", name: names[2]))
    }
}
