internal import SluiceConfig

/// What the management API keeps, at one revision. API keys are not among the units: there may be very many.
struct ControlState: Sendable {
    /// 0: nothing was ever set.
    var revision = 0
    var units: ConfigUnits = [:]
    /// The revision that each unit was last changed by.
    var unitRevisions: [ConfigUnit: Int] = [:]

    /// Of the configuration as a whole.
    var etag: String { "\"r\(revision)\"" }

    /// Of one unit; one that was never set through the API is as the whole is.
    func etag(of unit: ConfigUnit) -> String { "\"u\(unitRevisions[unit] ?? 0)\"" }

    mutating func apply(_ record: ControlRecord) {
        revision = record.revision
        for change in record.changes where !change.unit.isKey {
            units[change.unit] = change.value
            unitRevisions[change.unit] = change.value == nil ? nil : record.revision
        }
    }
}

extension ConfigUnit {
    static let keySection = "access.keys"
    var isKey: Bool { section == Self.keySection }
    static func key(_ id: String) -> ConfigUnit { ConfigUnit(section: keySection, name: id) }
}
