internal import SluicePipeline
internal import SluicePolicy
internal import SluiceStorage

extension Server {
    /// Has the audit log say who was not let in.
    func auditRefusals() {
        let audit = shared.lasting.audit
        shared.lasting.accessWatch.onRefused { refused in
            var details = [
                AuditEvent.Detail("reason", refused.reason), AuditEvent.Detail("status", "\(refused.status)"),
            ]
            if let model = refused.model { details.append(AuditEvent.Detail("model", model)) }
            if let id = refused.requestID { details.append(AuditEvent.Detail("request_id", id)) }
            audit.refused(
                AuditEvent(
                    .accessRefused, actor: refused.principal ?? "unknown", address: refused.address,
                    subject: refused.route, details: details))
        }
    }
}
