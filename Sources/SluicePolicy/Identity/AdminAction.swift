/// What operators do, each to be allowed by name.
package enum AdminAction: String, Sendable, CaseIterable {
    case readConfig = "config.read"
    case writeConfig = "config.write"
    case readModels = "models.read"
    case writeModels = "models.write"
    case readKeys = "keys.read"
    case writeKeys = "keys.write"
    case readUsers = "users.read"
    case writeUsers = "users.write"
    case readRoles = "roles.read"
    case writeRoles = "roles.write"
    case readLimits = "limits.read"
    case writeLimits = "limits.write"
    case readOwnHistory = "history.read_own"
    case readAllHistory = "history.read_all"
    case readOwnUsage = "usage.read_own"
    case readAllUsage = "usage.read_all"
    case readAudit = "audit.read"
    case rotateSecrets = "secrets.rotate"
    case purgeCache = "cache.purge"
    case resetTargets = "targets.reset"
    case readStatus = "status.read"
}

/// A set of actions as one number: to ask it is one instruction.
struct AdminActions: Sendable, Equatable {
    private var bits: UInt32 = 0

    init() {}

    /// Those whose names are in a set of names and patterns.
    init(_ names: NameSet) {
        for (index, action) in AdminAction.allCases.enumerated() where names.contains(action.rawValue) {
            bits |= 1 << UInt32(index)
        }
    }

    mutating func formUnion(_ other: AdminActions) { bits |= other.bits }
    mutating func subtract(_ other: AdminActions) { bits &= ~other.bits }
    func contains(_ action: AdminAction) -> Bool { bits >> action.index & 1 == 1 }
}

extension AdminAction {
    /// Its place among all cases. A table by name would be slower than this walk is long: it is asked once a management
    /// request.
    fileprivate var index: UInt32 { UInt32(Self.allCases.firstIndex(of: self) ?? 31) }
}
