internal import Glibc
internal import SluiceConfig
internal import SluiceCore
internal import SluicePipeline
internal import SluicePolicy
internal import SluiceStorage

extension Server {
    /// - Throws: an audit log that is configured and cannot be begun.
    static func startAudit(_ configuration: ServerConfiguration, _ lasting: LastingState) throws(AuditKey.Unusable) {
        guard let directory = configuration.auditDirectory else { return }
        let audit = configuration.audit
        var settings = AuditLog.Settings(directory: directory)
        settings.fileByteCountMax = audit.fileByteCountMax
        settings.filesMax = audit.filesMax
        settings.refusedPerSecond = audit.refusedPerSecond
        try lasting.audit.start(settings, lasting.vault)
        lasting.rotation.add(AuditKey.Store(directory))
    }

    func beginAudit() {
        let (events, audit) = (shared.events, shared.lasting.audit)
        let headLog = AuditHeadLog(events)
        audit.onNotice { notice in
            switch notice {
            case .failing(let reason): events.failed("audit log cannot be written: changes are refused", reason)
            case .recovered: events.event(.info, "audit log is written again")
            case .reached(let head): headLog.reached(head)
            }
        }
        shared.lasting.accessWatch.onRefused { audit.refused(Self.event(of: $0)) }
        audit.append(
            AuditEvent(
                .processStarted,
                details: [
                    .init("version", Self.version), .init("pid", "\(getpid())"),
                    .init("configuration", options.configFile ?? "none"),
                ]))
        auditSecrets(of: configuration)
    }

    private static func event(of refusal: RefusedAccess) -> AuditEvent {
        var details: [AuditEvent.Detail] = [
            .init("reason", refusal.reason), .init("status", "\(refusal.status)"),
        ]
        if let model = refusal.model { details.append(.init("model", model)) }
        if let id = refusal.requestID { details.append(.init("request_id", id)) }
        return AuditEvent(
            .accessRefused, actor: refusal.principal ?? "unknown", address: refusal.address, subject: refusal.route,
            details: details)
    }

    /// Which settings were opened, and with which keys.
    func auditSecrets(of configuration: ServerConfiguration) {
        guard let secrets = configuration.secrets, !secrets.sealedSettings.isEmpty else { return }
        shared.lasting.audit.append(
            AuditEvent(
                .secretsUsed, details: secrets.sealedSettings.map { .init($0.name, "\($0.value)") }))
    }

    func auditReload(revision: Int, because reason: String, changed: [String]) {
        shared.lasting.audit.append(
            AuditEvent(
                .configurationReloaded, subject: options.configFile,
                details: [
                    .init("revision", "\(revision)"), .init("reason", reason),
                    .init("changed", changed.joined(separator: ", ")),
                ]))
    }

    func endAudit() {
        shared.lasting.audit.append(AuditEvent(.processStopped, details: [.init("pid", "\(getpid())")]))
        shared.lasting.audit.finish()
    }
}
