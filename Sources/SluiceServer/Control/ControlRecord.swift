internal import SluiceConfig
internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON

/// One revision of what the management API keeps: who changed what, when and why.
struct ControlRecord: Sendable, Equatable {
    struct Change: Sendable, Equatable {
        let unit: ConfigUnit
        /// `nil`: it is gone.
        let value: ConfigValue?
    }

    /// One setting that changed, without secrets.
    struct Difference: Sendable, Equatable {
        let path: String
        let before: ConfigValue?
        let after: ConfigValue?
    }

    let revision: Int
    /// Milliseconds since 1970.
    let at: Int
    /// The principal's id.
    let author: String
    let reason: String
    /// The process on which it was made.
    let node: String
    let changes: [Change]
    let differences: [Difference]

    /// The longest reason that is kept, in bytes.
    static let reasonByteCountMax = 1024

    // MARK: As JSON

    /// With its values, which may hold secrets: for a sealed place only.
    var text: [UInt8] {
        let changes = changes.map { change in
            ConfigValue(
                .object([
                    ConfigMember("unit", ConfigValue(.string(change.unit.key))),
                    ConfigMember("value", change.value ?? ConfigValue(.null)),
                    ConfigMember("is_gone", ConfigValue(.boolean(change.value == nil))),
                ]))
        }
        let document = ConfigValue(
            .object([
                ConfigMember("revision", ConfigValue(.integer(revision))),
                ConfigMember("at", ConfigValue(.integer(at))),
                ConfigMember("author", ConfigValue(.string(author))),
                ConfigMember("reason", ConfigValue(.string(reason))),
                ConfigMember("node", ConfigValue(.string(node))), ConfigMember("changes", ConfigValue(.list(changes))),
                ConfigMember("differences", Self.value(of: differences)),
            ]))
        return document.compactText
    }

    /// - Returns: `nil` if it is not what `text` gives.
    init?(text: [UInt8]) {
        guard let document = try? ConfigText.parse(text),
            case .integer(let revision)? = document["revision"]?.kind, revision > 0,
            case .integer(let at)? = document["at"]?.kind, let author = document["author"]?.text,
            let reason = document["reason"]?.text, let node = document["node"]?.text,
            case .list(let elements)? = document["changes"]?.kind, let differences = document["differences"],
            let read = Self.differences(of: differences)
        else { return nil }
        var changes: [Change] = []
        for element in elements {
            guard let unit = element["unit"]?.text.flatMap(ConfigUnit.init(key:)), let value = element["value"],
                case .boolean(let isGone)? = element["is_gone"]?.kind
            else { return nil }
            changes.append(Change(unit: unit, value: isGone ? nil : value))
        }
        self.init(
            revision: revision, at: at, author: author, reason: reason, node: node, changes: changes, differences: read)
    }

    init(
        revision: Int, at: Int, author: String, reason: String, node: String, changes: [Change],
        differences: [Difference]
    ) {
        self.revision = revision
        self.at = at
        self.author = author
        self.reason = reason
        self.node = node
        self.changes = changes
        self.differences = differences
    }

    static func value(of differences: [Difference]) -> ConfigValue {
        ConfigValue(
            .list(
                differences.map { difference in
                    var members = [ConfigMember("path", ConfigValue(.string(difference.path)))]
                    if let before = difference.before { members.append(ConfigMember("before", before)) }
                    if let after = difference.after { members.append(ConfigMember("after", after)) }
                    return ConfigValue(.object(members))
                }))
    }

    static func differences(of value: ConfigValue) -> [Difference]? {
        guard case .list(let elements) = value.kind else { return nil }
        var differences: [Difference] = []
        for element in elements {
            guard let path = element["path"]?.text else { return nil }
            differences.append(Difference(path: path, before: element["before"], after: element["after"]))
        }
        return differences
    }
}

extension ConfigValue {
    /// As JSON without white space.
    var compactText: [UInt8] {
        let text = json()
        let buffer = ByteBuffer(capacity: text.utf8.count)
        JSONText.compact(text.utf8Span.span, into: buffer)
        return Array(copying: buffer.span)
    }

    /// Writes the value as part of a document.
    func write(_ json: inout JSONWriter) { json.raw(compactText.span) }
}
