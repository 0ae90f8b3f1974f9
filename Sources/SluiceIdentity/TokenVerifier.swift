package import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
package import SluicePolicy
internal import SluiceTLS

/// Tells who shows a token or a certificate: the whole of `access` but for Sluice's own keys. Immutable; shared by all workers.
package final class TokenVerifier: CredentialVerifier {
    /// By `iss`.
    private let issuers: [String: TokenIssuer]
    /// Asked about tokens that no issuer's keys can tell about, in this order.
    private let remotes: [RemoteIssuer]
    private let certificates: CertificateRules?
    private let verdicts: VerdictCache
    /// Tokens that are worth nothing, apart: nobody can push the others out with them.
    private let refusals: VerdictCache
    /// Says whom a key of Sluice's own is for.
    private let keyHolder: @Sendable (String, AccessPolicy, Int) -> CredentialVerdict
    private static let refusalsMax = 1024

    /// A verdict is made anew after so long, whatever its token says.
    private let freshMax: Duration

    package init(
        issuers: [TokenIssuer] = [], remotes: [RemoteIssuer] = [], certificates: CertificateRules? = nil,
        verdictsMax: Int = 10_000, freshMax: Duration = .seconds(300),
        keyHolder: @escaping @Sendable (String, AccessPolicy, Int) -> CredentialVerdict = { _, _, _ in
            .refused(.unknown)
        }
    ) {
        self.issuers = Dictionary(issuers.map { ($0.issuer, $0) }, uniquingKeysWith: { first, _ in first })
        self.remotes = remotes
        self.certificates = certificates
        self.freshMax = freshMax
        self.keyHolder = keyHolder
        verdicts = VerdictCache(countMax: verdictsMax)
        refusals = VerdictCache(countMax: Self.refusalsMax)
    }

    package func verify(_ token: Span<UInt8>, under policy: AccessPolicy, at now: Int) -> CredentialVerdict {
        let isToken = Self.isWebToken(token)
        if !isToken, remotes.isEmpty { return .notMine }
        if token.count > JSONWebToken.byteCountMax { return isToken ? .refused(.malformed) : .notMine }
        let key = VerdictCache.Key(token)
        let clock = EventLoop.readClock()
        if let known = verdicts.entry(key, policy: policy.number, seconds: now, now: clock) {
            return tell(known, policy, now)
        }
        if let known = refusals.entry(key, policy: policy.number, seconds: now, now: clock) {
            return tell(known, policy, now)
        }
        return .undecided
    }

    private func tell(_ verdict: VerdictCache.Entry.Verdict, _ policy: AccessPolicy, _ now: Int) -> CredentialVerdict {
        switch verdict {
        case .principal(let principal): .principal(principal)
        case .refused(let reason): .refused(reason)
        case .key(let id): keyHolder(id, policy, now)
        }
    }

    package func resolve(_ token: [UInt8], under policy: AccessPolicy, at now: Int) async -> CredentialVerdict {
        let key = VerdictCache.Key(token.span)
        do throws(TokenRefusal) {
            guard Self.isWebToken(token.span) else {
                return try await askRemotes(token, ClaimedOrigin(), key, policy, now)
            }
            let parsed = try JSONWebToken(token.span, tape: JSONTape())
            let claimed = try Self.origin(of: parsed)
            guard let name = claimed.issuer, let issuer = issuers[name] else {
                return try await askRemotes(token, claimed, key, policy, now)
            }
            let proved = try await issuer.prove(
                parsed, signed: [UInt8](copying: token.span.extracting(0..<parsed.signedByteCount)), under: policy,
                at: now)
            keep(proved.verdict, until: proved.until, key, policy, now, revision: proved.revision)
            return tell(proved.verdict, policy, now)
        } catch {
            return .refused(error.reason)
        }
    }

    /// Whether it looks like one: an object that begins as JSON does, and two dots. Sluice's own keys have none.
    static func isWebToken(_ token: Span<UInt8>) -> Bool {
        token.hasPrefix("eyJ") && token.firstIndex(of: UInt8(ascii: ".")) != nil
    }

    /// Whose it says it is: that chooses who is asked, and proves nothing.
    private static func origin(of token: JSONWebToken) throws(TokenRefusal) -> ClaimedOrigin {
        let tape = JSONTape()
        try JSONWebToken.scan(token.payload.span, "payload", onto: tape)
        let root = tape.root(over: token.payload.span)
        return ClaimedOrigin(issuer: root["iss"]?.string, subject: root["sub"]?.string)
    }

    private func askRemotes(
        _ token: [UInt8], _ claimed: ClaimedOrigin, _ key: VerdictCache.Key, _ policy: AccessPolicy, _ now: Int
    ) async throws(TokenRefusal) -> CredentialVerdict {
        let asked = remotes.filter { $0.mayKnow(claimed) }
        if asked.isEmpty { throw TokenRefusal(.issuer, "its issuer is not one that is accepted") }
        var refusal = TokenRefusal(.unknown, "nobody knows it")
        for remote in asked {
            switch await remote.ask(about: token, key: key, under: policy, at: now) {
            case .known(let principal, let until):
                keep(.principal(principal), until: until, key, policy, now)
                return .principal(principal)
            case .refused(let reason):
                // One who does not answer might have known it.
                if refusal.reason != .unavailable { refusal = reason }
            }
        }
        if refusal.reason != .unavailable {
            let fresh = asked.map(\.bounds.refusedFresh).min() ?? .zero
            refusals.keep(
                VerdictCache.Entry(
                    .refused(refusal.reason), until: .max, freshUntil: EventLoop.readClock() + fresh,
                    policy: policy.number),
                of: key, seconds: now, now: EventLoop.readClock())
        }
        throw refusal
    }

    private func keep(
        _ verdict: VerdictCache.Entry.Verdict, until: Int, _ key: VerdictCache.Key, _ policy: AccessPolicy, _ now: Int,
        revision: KeySource.Revision? = nil
    ) {
        let clock = EventLoop.readClock()
        // From the token's own end, as far as it is away now: a clock that is set back does not lengthen it.
        let rest = min(freshMax, .seconds(max(0, min(until - now, 1 << 31))))
        verdicts.keep(
            VerdictCache.Entry(
                verdict, until: until, freshUntil: clock + rest, policy: policy.number, keys: revision),
            of: key, seconds: now, now: clock)
    }

    package func verify(
        certificate: ClientCertificate, under policy: AccessPolicy, at now: Int
    ) -> CredentialVerdict {
        certificates?.verdict(certificate, under: policy, at: now) ?? .notMine
    }

    // MARK: For whoever operates Sluice

    package var allIssuers: [TokenIssuer] { issuers.values.sorted { $0.name < $1.name } }
    package var allRemotes: [RemoteIssuer] { remotes }
    package var verdictCount: Int { verdicts.count }
}
