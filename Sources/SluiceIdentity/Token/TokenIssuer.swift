internal import SluiceCore
internal import SluiceJSON
package import SluicePolicy
package import SluiceTLS

/// One issuer whose tokens are accepted: where its keys are, what its tokens must say, and who they are of.
package final class TokenIssuer: Sendable {
    /// Whose tokens they are.
    package enum Kind: Sendable, Equatable {
        /// Of somebody else's users and applications.
        case users
        /// Of Kubernetes' service accounts.
        case serviceAccounts(ServiceAccountRules)
        /// Sluice's own: its clients' keys say who they are.
        case own
    }

    /// As the configuration calls it, for logs.
    package let name: String
    package let kind: Kind
    package let keys: KeySource
    package let rules: TokenRules
    package let algorithms: Set<SignatureAlgorithm>
    package let claims: ClaimMapping

    package init(
        name: String, kind: Kind = .users, keys: KeySource, rules: TokenRules, algorithms: Set<SignatureAlgorithm>,
        claims: ClaimMapping = ClaimMapping()
    ) {
        self.name = name
        self.kind = kind
        self.keys = keys
        self.rules = rules
        self.algorithms = algorithms
        self.claims = claims
    }

    /// `iss`.
    package var issuer: String { rules.issuer ?? "" }

    /// Who shows a token that has been proved to be this issuer's.
    package struct Proved: Sendable {
        package var verdict: VerdictCache.Entry.Verdict
        /// In seconds since 1970.
        package var until: Int
        package var revision: KeySource.Revision
    }

    /// Checks everything about a token, the cheapest first and nothing of its claims before its signature. To be called
    /// on a loop.
    ///
    /// - Parameter now: seconds since 1970.
    package func prove(
        _ token: JSONWebToken, signed message: [UInt8], under policy: AccessPolicy, at now: Int
    ) async throws(TokenRefusal) -> Proved {
        guard algorithms.contains(token.algorithm) else {
            throw TokenRefusal(.algorithm, "its algorithm is not one of this issuer's")
        }
        try rules.check(type: token.type)
        let revision = try await verifySignature(token, message)
        let tape = JSONTape()
        try JSONWebToken.scan(token.payload.span, "payload", onto: tape)
        let claims = tape.root(over: token.payload.span)
        let until = try rules.check(claims, at: now)
        return Proved(verdict: try verdict(claims, policy), until: until, revision: revision)
    }

    private func verifySignature(
        _ token: JSONWebToken, _ message: [UInt8]
    ) async throws(TokenRefusal) -> KeySource.Revision {
        var lacksKey = false
        while true {
            guard let (keys, revision) = await keys.keys(lacksKey: lacksKey) else {
                throw TokenRefusal(.unavailable, "its issuer's keys cannot be had")
            }
            switch keys.verify(token, signed: message.span) {
            case .verified: return revision
            case .forged: throw TokenRefusal(.signature, "its signature is not its issuer's")
            case .unknownKey where lacksKey: throw TokenRefusal(.signature, "its key is none of its issuer's")
            case .unknownKey: lacksKey = true
            }
        }
    }

    private func verdict(
        _ claims: JSONValue, _ policy: AccessPolicy
    ) throws(TokenRefusal) -> VerdictCache.Entry.Verdict {
        switch kind {
        case .users:
            return .principal(
                try self.claims.principal(claims, prefix: "jwt:\(issuer)#", kind: .token, under: policy))
        case .serviceAccounts(let rules):
            guard let account = ServiceAccount(subject: claims["sub"]?.string) else {
                throw TokenRefusal(.malformed, "it is of no service account")
            }
            return .principal(rules.principal(account, under: policy))
        case .own:
            guard let id = claims["client_id"]?.string else {
                throw TokenRefusal(.malformed, "it does not say which client it was given to")
            }
            return .key(id: id)
        }
    }
}
