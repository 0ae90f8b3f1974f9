internal import SluiceConfig
internal import SluicePipeline
internal import SluiceStorage

extension Server {
    /// Writes down what is about to be changed through the management API: what, and by whom, without any value.
    ///
    /// - Returns: `false` if that cannot be written now: the change must not be made then.
    func auditChange(_ record: ControlRecord, _ author: ControlAuthor) async -> Bool {
        await shared.lasting.audit.record(
            record.changes.map { change in
                let path = change.unit.path
                let names = record.differences.map(\.path).filter { $0.hasPrefix(path) }
                var details: [AuditEvent.Detail] = [
                    .init("revision", "\(record.revision)"), .init("changed", names.prefix(20).joined(separator: ", ")),
                ]
                if !record.reason.isEmpty { details.append(.init("reason", record.reason)) }
                return AuditEvent(
                    Self.kind(of: change, record), actor: author.id, address: author.address,
                    subject: change.unit.isKey ? change.unit.name : path, details: details)
            })
    }

    /// Writes down that a change which was announced was not made, or not for certain.
    func auditFailure(of record: ControlRecord, _ author: ControlAuthor, _ reason: String) {
        shared.lasting.audit.append(
            AuditEvent(
                .configurationRefused, actor: author.id, address: author.address,
                details: [.init("revision", "\(record.revision)"), .init("reason", reason)]))
    }

    private static func kind(of change: ControlRecord.Change, _ record: ControlRecord) -> AuditEvent.Kind {
        switch change.unit.section {
        case ConfigUnit.keySection: kind(ofKey: change, record)
        case "access.users": .userChanged
        case "access.roles": .roleChanged
        case "models", "aliases", "routes": .modelChanged
        case "rate_limits", "budgets": .limitChanged
        default: .configurationChanged
        }
    }

    private static func kind(ofKey change: ControlRecord.Change, _ record: ControlRecord) -> AuditEvent.Kind {
        guard let value = change.value else { return .keyRevoked }
        let path = change.unit.path
        if record.differences.contains(where: { $0.path == path && $0.before == nil }) { return .keyCreated }
        let isDisabled = value["disabled"]?.kind == .boolean(true)
        let hasSwitched = record.differences.contains { $0.path == ConfigPath.child(of: path, "disabled") }
        return isDisabled && hasSwitched ? .keyRevoked : .keyChanged
    }
}
