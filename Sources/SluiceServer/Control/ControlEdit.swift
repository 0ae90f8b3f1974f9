internal import SluiceConfig
internal import SluicePolicy

/// Who wants to change something, and why.
struct ControlAuthor: Sendable {
    let principal: Principal
    let address: String
    let reason: String

    var id: String { principal.id }
}

/// A change that somebody asks for.
struct ControlEdit: Sendable {
    /// Names what is to be changed, looking at what there is. Called on the clerk's thread.
    typealias Body = @Sendable (ControlSight) throws(ManagementError) -> [ControlRecord.Change]

    let author: ControlAuthor
    /// Only says what would come of it.
    var isDryRun = false
    let body: Body
}

/// What there is when a change is made.
struct ControlSight {
    let state: ControlState
    let store: ControlStore?
    /// The file's part.
    let file: ConfigValue

    /// What a unit says now, whoever owns it; an API key is looked up.
    func value(of unit: ConfigUnit) throws(ManagementError) -> ConfigValue? {
        if ConfigOverlay.owns(file, unit) { return ConfigOverlay.value(of: unit, in: file) }
        if !unit.isKey { return state.units[unit] }
        do {
            return try store?.unit(unit)?.value
        } catch {
            throw ManagementError(.storageUnavailable, "\(error)")
        }
    }

    func etag(of unit: ConfigUnit) throws(ManagementError) -> String {
        if !unit.isKey { return state.etag(of: unit) }
        do {
            return "\"u\(try store?.unit(unit)?.revision ?? 0)\""
        } catch {
            throw ManagementError(.storageUnavailable, "\(error)")
        }
    }
}

/// What came of a change.
struct ControlOutcome: Sendable {
    /// The revision that is in force now.
    let state: ControlState
    /// What changed; empty if it was so already.
    let differences: [ControlRecord.Difference]
    let isDryRun: Bool
    /// What is wrong with it; only of a change that was not to be made.
    var mistakes: [ManagementError.Detail] = []
}

extension ConfigUnit {
    /// What whoever changes it must be allowed to do.
    var actionToWrite: AdminAction {
        switch section {
        case "models", "aliases", "routes": .writeModels
        case "rate_limits", "budgets": .writeLimits
        case "access.keys": .writeKeys
        case "access.users": .writeUsers
        case "access.roles": .writeRoles
        default: .writeConfig
        }
    }
}
