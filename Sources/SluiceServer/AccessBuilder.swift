internal import SluiceConfig
internal import SluiceCore
internal import SluiceIdentity
internal import SluicePipeline
internal import SluicePolicy

/// What the configuration says of who may come in, as the workers use it.
enum AccessBuilder {
    static func policy(
        _ configuration: AccessConfiguration?, _ lasting: LastingState
    ) throws(ConfigErrors) -> (policy: AccessPolicy?, office: TokenOffice?) {
        guard let configuration else { return (nil, nil) }
        var settings = AccessPolicy.Settings()
        settings.local = configuration.local.map(place)
        settings.adminDemandsCredential = configuration.adminDemandsCredential
        settings.failuresPerMinute = configuration.failuresPerMinute
        let pepper = KeyPepper(configuration.pepper)
        var mistakes: [ConfigMistake] = []
        var keys: [KeyRecord] = []
        for key in configuration.keys {
            do throws(KeyMistake) {
                keys.append(try record(key.name, key.value, pepper))
            } catch {
                mistakes.append(
                    ConfigMistake(path: "access.keys.\(key.name)", location: nil, message: error.message))
            }
        }
        mistakes += configuration.roles.flatMap { unknownActions($0.name, $0.value) }
        if !mistakes.isEmpty { throw ConfigErrors(mistakes) }
        var verifiers: [any CredentialVerifier] = [
            APIKeyVerifier(others: lasting.keys, hasForeignKeys: configuration.keys.contains(where: isForeign))
        ]
        let tokens = try TokensBuilder(
            configuration: configuration.tokens, state: lasting.identity, keys: lasting.keys
        ).build()
        if let tokens { verifiers.append(tokens.verifier) }
        let policy = AccessPolicy(
            settings: settings, roles: roles(configuration.roles), users: users(configuration.users), pepper: pepper,
            verifiers: verifiers, keys: keys)
        return (policy, tokens?.office)
    }

    private static func place(_ configuration: AccessPlaceConfiguration) -> AccessPolicy.Local {
        var place = AccessPolicy.Local()
        place.roles = configuration.roles
        place.user = configuration.user
        place.team = configuration.team
        place.businessLine = configuration.businessLine
        place.mayClaim = configuration.mayClaim
        return place
    }

    private static func users(_ users: [Named<AccessUserConfiguration>]) -> [String: AccessPolicy.User] {
        Dictionary(
            users.map { user in
                let value = user.value
                return (
                    user.name,
                    AccessPolicy.User(roles: value.roles, team: value.team, businessLine: value.businessLine)
                )
            }, uniquingKeysWith: { first, _ in first })
    }

    // MARK: Keys

    private struct KeyMistake: Error {
        let message: String
    }

    private static func record(
        _ name: String, _ key: AccessKeyConfiguration, _ pepper: KeyPepper
    ) throws(KeyMistake) -> KeyRecord {
        var record = KeyRecord(id: name, digest: try digest(key.proof, pepper))
        if let previous = key.previous, let until = key.previousUntil {
            record.previous = KeyRecord.Previous(digest: try digest(previous, pepper), until: until)
        }
        record.isDisabled = key.isDisabled
        record.expiresAt = key.expiresAt
        record.user = key.user
        record.team = key.team
        record.businessLine = key.businessLine
        record.roles = key.roles
        record.models = key.models
        record.mayClaim = key.mayClaim
        return record
    }

    private static func digest(
        _ proof: AccessKeyConfiguration.Proof, _ pepper: KeyPepper
    ) throws(KeyMistake) -> KeyDigest {
        switch proof {
        case .hash(let text):
            do throws(KeyPepper.Unreadable) {
                return try pepper.digest(text: text)
            } catch {
                throw KeyMistake(
                    message: error == .otherPepper
                        ? "a hash that was made with access.pepper as it is now, found one of another: make it anew with sluice key hash"
                        : "what sluice key prints: hs256:…")
            }
        case .secret(let secret):
            let isWrong = secret.withExposed { APIKey.isClaimed(by: $0) && !APIKey.isWellFormed($0) }
            if isWrong { throw KeyMistake(message: "a key that sluice key new made, found one that was changed since") }
            return secret.withExposed { pepper.digest(of: $0) }
        }
    }

    /// Keys that were not issued here are told from tokens only by looking them up.
    private static func isForeign(_ key: Named<AccessKeyConfiguration>) -> Bool {
        [key.value.proof, key.value.previous].contains { proof in
            guard case .secret(let secret)? = proof else { return false }
            return secret.withExposed { !APIKey.isClaimed(by: $0) }
        }
    }

    // MARK: Roles

    private static func roles(_ configurations: [Named<AccessRoleConfiguration>]) -> [Role] {
        let byName = Dictionary(configurations.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        func role(_ name: String, _ depth: Int) -> Role? {
            guard let own = byName[name], depth <= configurations.count else {
                return Role.builtIn.first { $0.name == name }
            }
            // One that has the name of a built-in role, and is based on it, means that.
            let base = own.basedOn.flatMap { base in
                base == name ? Role.builtIn.first { $0.name == base } : role(base, depth + 1)
            }
            return merged(name, own, base)
        }
        return configurations.compactMap { role($0.name, 0) }
    }

    private static func merged(_ name: String, _ own: AccessRoleConfiguration, _ base: Role?) -> Role {
        var role = Role(name: name, allow: base?.allow ?? Role.Names(endpoints: []), deny: base?.deny ?? Role.Names())
        role.mayClaim = own.mayClaim ?? base?.mayClaim ?? false
        role.allow.endpoints = own.allow.endpoints ?? role.allow.endpoints
        role.allow.models = own.allow.models ?? role.allow.models
        role.allow.providers = own.allow.providers ?? role.allow.providers
        role.allow.scenes = own.allow.scenes ?? role.allow.scenes
        role.allow.actions = own.allow.actions ?? role.allow.actions
        role.deny.endpoints += own.deny.endpoints ?? []
        role.deny.models += own.deny.models ?? []
        role.deny.providers += own.deny.providers ?? []
        role.deny.scenes += own.deny.scenes ?? []
        role.deny.actions += own.deny.actions ?? []
        return role
    }

    private static func unknownActions(_ name: String, _ role: AccessRoleConfiguration) -> [ConfigMistake] {
        let named = [("allow", role.allow.actions ?? []), ("deny", role.deny.actions ?? [])]
        return named.flatMap { part, actions in
            actions.compactMap { action in
                let set = NameSet([action])
                if AdminAction.allCases.contains(where: { set.contains($0.rawValue) }) { return nil }
                let names = AdminAction.allCases.map(\.rawValue)
                let question = Suggestion.nearest(to: action, among: names).map { ", did you mean \"\($0)\"?" } ?? ""
                return ConfigMistake(
                    path: "access.roles.\(name).\(part).actions", location: nil,
                    message: "one of \(names.joined(separator: ", ")), or a pattern of them, found \"\(action)\"\(question)")
            }
        }
    }
}
