internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet
package import SluicePolicy

/// Finds out who asks, before anything of the request's body is taken: 401, or 429 for an address that has guessed too often.
package enum Authentication {
    static func authenticate(_ context: RequestContext, _ policy: AccessPolicy) async throws(Rejection) {
        let now = Int(EventLoop.readWallClock() / 1_000_000_000)
        let exchange = context.exchange
        let peer = exchange.peer
        var finding = Gatekeeper.find(
            exchange.head.fields, certificate: peer.certificate, place: Gatekeeper.place(peer.trust, policy),
            under: policy, at: now)
        if case .undecided(let verifier, let token) = finding {
            let watch = context.snapshot.lasting.accessWatch
            let limit = policy.settings.failuresPerMinute
            if let wait = watch.failures.wait(exchange.peer.host, at: exchange.loop.now, limit: limit) {
                throw refuse(.limited, of: nil, tooMany(wait), context)
            }
            finding = await Gatekeeper.resolve(token, verifier, under: policy, at: now)
            if exchange.isAbandoned { throw .gone }
        }
        switch finding {
        case .principal(let principal): context.principal = principal
        case .refused(let reason, let id): throw refuse(reason, of: id, context, policy)
        case .undecided: throw refuse(.unavailable, of: nil, context, policy)
        }
    }

    /// For a listener that other machines reach, although the configuration has nothing any more to tell who they are.
    static func refuseEverybody(_ context: RequestContext) -> Rejection {
        context.challenge = CredentialRefusal.missing.challenge
        return refuse(.missing, of: nil, rejection(.missing), context)
    }

    private static func refuse(
        _ reason: CredentialRefusal, of id: String?, _ context: RequestContext, _ policy: AccessPolicy
    ) -> Rejection {
        if reason.isGuess {
            let wait = context.snapshot.lasting.accessWatch.failures.note(
                context.exchange.peer.host, at: context.exchange.loop.now, limit: policy.settings.failuresPerMinute)
            if let wait { return refuse(reason, of: id, tooMany(wait), context) }
        }
        context.challenge = reason.challenge
        return refuse(reason, of: id, rejection(reason), context)
    }

    private static func refuse(
        _ reason: CredentialRefusal, of id: String?, _ rejection: Rejection, _ context: RequestContext
    ) -> Rejection {
        context.refusal = reason
        context.snapshot.lasting.accessWatch.refused(
            RefusedAccess(
                reason: reason.rawValue, status: Int(rejection.status.code), principal: id,
                address: context.exchange.peer.host, route: "\(context.route)", requestID: context.requestID))
        return rejection
    }

    /// What is wrong with a credential is not told: whether there is such a key is nobody's business but its holder's.
    package static func rejection(_ reason: CredentialRefusal) -> Rejection {
        switch reason {
        case .missing:
            Rejection(
                .caller, 401, type: "authentication_error", code: "missing_api_key",
                "No credential was shown. Send one as Authorization: Bearer KEY, or as x-api-key: KEY.")
        case .ambiguous:
            Rejection(
                .caller, 400, code: "ambiguous_credentials",
                "Two credentials were shown, and they differ. Send one, as Authorization: Bearer KEY or as x-api-key: KEY.")
        case .unavailable:
            Rejection(
                .gateway, 503, type: "api_error", code: "identity_unavailable",
                "Whoever issued the token could not be asked about it.", isRetryable: true)
        default:
            Rejection(
                .caller, 401, type: "authentication_error", code: "invalid_api_key",
                "The credential is not accepted here.")
        }
    }

    package static func tooMany(_ wait: Duration) -> Rejection {
        Rejection(
            .policy, 429, type: "requests", code: "too_many_failed_attempts",
            "Too many credentials that are not accepted have come from this address. Try again later.",
            retryAfter: wait)
    }
}

extension CredentialRefusal {
    /// Whether somebody may be trying keys. Who shows nothing, or could not be checked, does not.
    package var isGuess: Bool {
        switch self {
        case .missing, .ambiguous, .unavailable, .limited: false
        default: true
        }
    }

    /// What `WWW-Authenticate` says (RFC 6750 §3); `nil`: it is not there.
    package var challenge: StaticString? {
        switch self {
        case .missing, .unsupported: #"Bearer realm="sluice""#
        case .ambiguous: #"Bearer realm="sluice", error="invalid_request""#
        case .unavailable, .limited: nil
        default: #"Bearer realm="sluice", error="invalid_token""#
        }
    }
}
