internal import SluiceConfig
internal import SluiceCore
internal import SluicePipeline
internal import SluiceStorage
internal import SluiceTLS

extension Server {
    /// Says which master keys are in force, and moves to the current one what an earlier run has not.
    func beginSecrets() {
        let (events, audit) = (shared.events, shared.lasting.audit)
        shared.lasting.rotation.onEvent { event in
            events.rotation(event)
            if case .finished(let key, let moved, let unreadable) = event {
                audit.append(
                    AuditEvent(
                        .secretsRotated, subject: "\(key)",
                        details: [.init("moved", "\(moved)"), .init("unreadable", "\(unreadable)")]))
            }
        }
        guard let secrets = configuration.secrets else { return }
        tellKeys(secrets, "master keys in force")
        shared.lasting.rotation.start(perSecond: secrets.resealedPerSecond)
    }

    /// Seals with a new configuration's keys from now on, and moves to the current one what is stored.
    func adoptKeys(of configuration: ServerConfiguration) {
        let vault = shared.lasting.vault
        let before = vault.keyIDs
        vault.adopt(configuration.secrets?.keys ?? .none)
        if vault.keyIDs == before { return }
        tellKeys(configuration.secrets ?? SecretsConfiguration(), "master keys changed")
        shared.lasting.audit.append(
            AuditEvent(
                .masterKeysChanged,
                details: [
                    .init("before", before.map { "\($0)" }.joined(separator: ", ")),
                    .init("now", vault.keyIDs.map { "\($0)" }.joined(separator: ", ")),
                ]))
        auditSecrets(of: configuration)
        shared.lasting.rotation.start(perSecond: configuration.secrets?.resealedPerSecond ?? 1)
    }

    var secretsEndpoint: SecretsEndpoint {
        SecretsEndpoint(shared) { [unowned self] in
            configuration.secrets?.sealedSettings ?? []
        } rotate: { [unowned self] in
            reload?.reloadWithKeys(because: "a rotation was asked for")
            shared.lasting.rotation.start(perSecond: configuration.secrets?.resealedPerSecond ?? 1)
        }
    }

    private func tellKeys(_ secrets: SecretsConfiguration, _ message: StaticString) {
        shared.events.event(.info, message) { line in
            line.field("sluice.secrets.key", secrets.keys.currentID.map { "\($0)" } ?? "none")
            line.field("sluice.secrets.keys", secrets.keys.ids.count)
            line.field("sluice.secrets.sealed_settings", secrets.sealedSettings.count)
        }
    }
}

extension EventLog {
    func rotation(_ event: SecretRotation.Event) {
        switch event {
        case .finished(let key, let moved, let unreadable):
            self.event(unreadable == 0 ? .info : .error, "stored values are sealed with the current key") { line in
                line.field("sluice.secrets.key", "\(key)")
                line.field("sluice.secrets.moved", moved)
                if unreadable > 0 { line.field("sluice.secrets.unreadable", unreadable) }
            }
        case .storeFailed(let name, let reason):
            self.event(.error, "stored values are not sealed with the current key") { line in
                line.field("sluice.secrets.store", name)
                line.field("error.message", reason)
            }
        }
    }
}
