/// What is written down in the audit log: who did, or tried to do, what.
package struct AuditEvent: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case processStarted = "process.started"
        case processStopped = "process.stopped"
        case configurationReloaded = "config.reloaded"
        case configurationRefused = "config.refused"
        case configurationChanged = "config.changed"
        case keyCreated = "key.created"
        case keyChanged = "key.changed"
        case keyRevoked = "key.revoked"
        case userChanged = "user.changed"
        case roleChanged = "role.changed"
        case modelChanged = "model.changed"
        case limitChanged = "limit.changed"
        case accessRefused = "access.refused"
        /// Refusals beyond those written one by one; their number is among the details.
        case accessRefusedOften = "access.refused_often"
        case secretsUsed = "secrets.used"
        case secretsRotated = "secrets.rotated"
        case masterKeysChanged = "secrets.keys_changed"
        /// The line before this one is torn: the process that wrote it was killed.
        case logMended = "audit.mended"
        /// Lines that had been written are missing.
        case logShortened = "audit.shortened"
        /// Events were lost because nothing could be written; never changes.
        case eventsLost = "audit.lost"
        /// An old file of the log was deleted, as configured.
        case fileDropped = "audit.file_dropped"
    }

    package var kind: Kind
    /// A principal's id, or `sluice` for the process itself.
    package var actor: String
    /// Where the actor was.
    package var address: String?
    /// What it was done to: a key's id, a setting, a path.
    package var subject: String?
    /// More, in the order to be written. Nothing secret: names, numbers, reasons.
    package var details: [Detail]

    package struct Detail: Sendable, Equatable {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package static let process = "sluice"

    package init(
        _ kind: Kind, actor: String = Self.process, address: String? = nil, subject: String? = nil,
        details: [Detail] = []
    ) {
        self.kind = kind
        self.actor = actor
        self.address = address
        self.subject = subject
        self.details = details
    }
}
