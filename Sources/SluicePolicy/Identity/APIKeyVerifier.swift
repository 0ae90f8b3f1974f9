/// Knows API keys: those of the configuration, and those that the process keeps.
package final class APIKeyVerifier: CredentialVerifier {
    /// Those that the configuration does not name.
    private let others: KeyTable
    /// Whether the configuration has keys that were not issued here, which may look like anything.
    private let hasForeignKeys: Bool

    package init(others: KeyTable, hasForeignKeys: Bool) {
        self.others = others
        self.hasForeignKeys = hasForeignKeys
    }

    package func verify(_ token: Span<UInt8>, under policy: AccessPolicy, at now: Int) -> CredentialVerdict {
        if APIKey.isClaimed(by: token) {
            if !APIKey.isWellFormed(token) { return .refused(.malformed) }
        } else if !hasForeignKeys {
            return .notMine
        }
        let digest = policy.pepper.digest(of: token)
        var verdict = policy.keys.check(digest, under: policy, at: now)
        if case .principal = verdict { return verdict }
        // Whatever is wrong with it, it goes the whole way.
        let other = others.check(digest, under: policy, at: now)
        if case .refused(.unknown, _) = verdict { verdict = other }
        if case .refused(.unknown, _) = verdict, !APIKey.isClaimed(by: token) { return .notMine }
        return verdict
    }

    package func resolve(_ token: [UInt8], under policy: AccessPolicy, at now: Int) async -> CredentialVerdict {
        .notMine
    }
}
