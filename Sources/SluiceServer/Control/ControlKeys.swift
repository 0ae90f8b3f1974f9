internal import SluiceConfig
internal import SluiceCore
internal import SluicePolicy

/// API keys that are kept: as units, and in the table that requests are checked against.
///
/// A unit says what a key says in the configuration file, and under `meta` what nobody but its managers needs.
enum ControlKeys {
    static let meta = "meta"

    /// Puts changes of keys in force, at this instant, on all workers.
    static func adopt(_ changes: [ControlRecord.Change], _ table: KeyTable, _ pepper: KeyPepper) {
        for change in changes {
            guard change.unit.isKey, let id = change.unit.name else { continue }
            if let record = change.value.flatMap({ record(id, $0, pepper) }) {
                table.insert(record)
            } else {
                table.remove(id)
            }
        }
    }

    /// Puts other keys in the place of all.
    static func replace(with changes: [ControlRecord.Change], _ table: KeyTable, _ pepper: KeyPepper) {
        table.replace(
            changes.compactMap { change in
                guard change.unit.isKey, let id = change.unit.name, let value = change.value else { return nil }
                return record(id, value, pepper)
            })
    }

    /// What the reader of configurations knows of a key.
    static func configuration(_ value: ConfigValue) -> ConfigValue { value.setting(meta, to: nil) }

    /// Without hashes: nobody needs to see them.
    static func hidingHashes(_ value: ConfigValue) -> ConfigValue {
        var shown = value
        for member in ["hash", "previous_hash"] where value[member] != nil {
            shown = shown.setting(member, to: ConfigValue(.string(ControlMask.set)))
        }
        return shown
    }

    /// What a kept key says; `nil` if it cannot be checked here: its hash was made with another pepper.
    static func record(_ id: String, _ value: ConfigValue, _ pepper: KeyPepper) -> KeyRecord? {
        guard let digest = value["hash"]?.text.flatMap({ try? pepper.digest(text: $0) }) else { return nil }
        var record = KeyRecord(id: id, digest: digest)
        if let old = value["previous_hash"]?.text.flatMap({ try? pepper.digest(text: $0) }),
            let until = value["previous_until"]?.text.flatMap(seconds)
        {
            record.previous = KeyRecord.Previous(digest: old, until: until)
        }
        record.isDisabled = value["disabled"]?.kind == .boolean(true)
        record.expiresAt = value["expires"]?.text.flatMap(seconds)
        record.team = value["team"]?.text
        record.businessLine = value["business_line"]?.text
        let rights = rights(value)
        record.user = rights.user
        record.roles = rights.roles
        record.models = rights.models
        record.mayClaim = rights.mayClaim
        return record
    }

    /// What a key says of what its holder may do.
    struct Rights {
        var user: String?
        var roles: [String]?
        var models: [String]?
        var mayClaim: Bool?
    }

    static func rights(_ value: ConfigValue) -> Rights {
        var rights = Rights(
            user: value["user"]?.text, roles: names(value["roles"]), models: names(value["models"]))
        if case .boolean(let mayClaim)? = value["may_claim"]?.kind { rights.mayClaim = mayClaim }
        // One without roles and of nobody that is known is an application's.
        if rights.roles == nil, rights.user == nil { rights.roles = [Role.app.name] }
        return rights
    }

    private static func names(_ value: ConfigValue?) -> [String]? {
        guard let value else { return nil }
        if case .list(let elements) = value.kind { return elements.compactMap(\.text) }
        return value.text.map { [$0] }
    }

    private static func seconds(_ text: String) -> Int? {
        CivilDate.milliseconds(rfc3339: text.utf8Span.span).map { $0 / 1000 }
    }

    /// RFC 3339.
    static func time(_ seconds: Int) -> String {
        let buffer = ByteBuffer(capacity: 24)
        CivilDate(secondsSince1970: seconds).append(to: buffer)
        return buffer.text
    }
}
