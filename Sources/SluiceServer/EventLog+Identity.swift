internal import SluiceCore
internal import SluiceIdentity

extension EventLog {
    /// Somebody who knows about identities has stopped answering, or answers again. Once for each.
    func identity(_ notice: IdentityNotices.Notice) {
        switch notice {
        case .failing(let name, let reason):
            event(.warn, "identities cannot be asked about") { line in
                line.field("sluice.identity.name", name)
                line.field("error.message", reason)
            }
        case .recovered(let name):
            event(.info, "identities can be asked about again") { $0.field("sluice.identity.name", name) }
        }
    }
}
