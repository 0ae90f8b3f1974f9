internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet
internal import SluicePipeline
internal import SluicePolicy

/// Lets operators in to the admin port. Where only this machine can connect, whoever does is one, unless the configuration demands
/// a credential there too, or he shows one: then he may do what that is for.
struct AdminGate {
    let shared: Shared

    /// Calls `body` with whoever asks if he may do what he asks for; answers the exchange otherwise.
    func admit(_ exchange: DownstreamExchange, _ body: @escaping (Principal) -> Void) {
        let trusts = exchange.peer.trust == .machine
        if shared.current.snapshot.hasOpenMetrics, Self.isScrape(exchange.head) { return body(.local) }
        guard let policy = shared.current.snapshot.access else {
            if trusts { return body(.local) }
            return refuse(.unsupported, of: nil, exchange, nil)
        }
        let place = trusts && !policy.settings.adminDemandsCredential ? Principal.local : nil
        let now = Int(EventLoop.readWallClock() / 1_000_000_000)
        let finding = Gatekeeper.find(
            exchange.head.fields, certificate: exchange.peer.certificate, place: place, under: policy, at: now)
        guard case .undecided(let verifier, let token) = finding else {
            return conclude(finding, exchange, policy, body)
        }
        let limit = policy.settings.failuresPerMinute
        let failures = shared.lasting.accessWatch.failures
        if let wait = failures.wait(exchange.peer.host, at: exchange.loop.now, limit: limit) {
            return tooMany(wait, .limited, of: nil, exchange)
        }
        exchange.loop.spawn {
            let finding = await Gatekeeper.resolve(token, verifier, under: policy, at: now)
            if !exchange.isAbandoned { conclude(finding, exchange, policy, body) }
        }
    }

    private static func isScrape(_ head: borrowing RequestHead) -> Bool {
        head.path.equals("/metrics") && (head.method == .get || head.method == .head)
    }

    private func conclude(
        _ finding: Gatekeeper.Finding, _ exchange: DownstreamExchange, _ policy: AccessPolicy,
        _ body: (Principal) -> Void
    ) {
        switch finding {
        case .refused(let reason, let id): refuse(reason, of: id, exchange, policy)
        case .undecided: refuse(.unavailable, of: nil, exchange, policy)
        case .principal(let principal):
            guard let action = Self.action(of: exchange.head) else { return body(principal) }
            if principal.access.allows(action) { return body(principal) }
            tell("action_not_allowed", 403, principal.id, exchange)
            AdminEndpoint.send(
                403, #"{"error":"This credential may not do that: it needs \#(action.rawValue)."}"#, to: exchange)
        }
    }

    /// What a request asks to be allowed; `nil`: whatever answers it looks after that.
    static func action(of head: borrowing RequestHead) -> AdminAction? {
        let path = head.path
        let isReading = head.method == .get || head.method == .head
        if path.hasPrefix("/api/") { return nil }
        if path.equals("/cache/purge") { return .purgeCache }
        if path.equals("/secrets/rotate") { return .rotateSecrets }
        if path.hasPrefix("/limits") { return .readLimits }
        if isReading { return .readStatus }
        return path.hasPrefix("/targets") || path.hasPrefix("/providers") ? .resetTargets : .writeConfig
    }

    // MARK: Refusing

    private func refuse(
        _ reason: CredentialRefusal, of id: String?, _ exchange: DownstreamExchange, _ policy: AccessPolicy?
    ) {
        if let policy, reason.isGuess {
            let failures = shared.lasting.accessWatch.failures
            let limit = policy.settings.failuresPerMinute
            if let wait = failures.note(exchange.peer.host, at: exchange.loop.now, limit: limit) {
                return tooMany(wait, reason, of: id, exchange)
            }
        }
        let rejection = Authentication.rejection(reason)
        tell(reason.rawValue, rejection.status, id, exchange)
        let message =
            policy == nil
            ? "Other machines can connect to this port, and there is no access section that tells who they are: only health is served."
            : rejection.message
        var fields = HeaderFields()
        if let challenge = reason.challenge { fields.append(.wwwAuthenticate, challenge) }
        AdminEndpoint.send(rejection.status, #"{"error":"\#(message)"}"#, fields, to: exchange)
    }

    private func tooMany(
        _ wait: Duration, _ reason: CredentialRefusal, of id: String?, _ exchange: DownstreamExchange
    ) {
        tell(reason.rawValue, 429, id, exchange)
        var fields = HeaderFields()
        fields.append(.retryAfter, "\(max(1, Int(wait.milliseconds / 1000) + 1))")
        AdminEndpoint.send(429, #"{"error":"\#(Authentication.tooMany(wait).message)"}"#, fields, to: exchange)
    }

    private func tell(_ reason: String, _ status: Status, _ principal: String?, _ exchange: DownstreamExchange) {
        shared.lasting.accessWatch.refused(
            RefusedAccess(
                reason: reason, status: Int(status.code), principal: principal, address: exchange.peer.host,
                route: "admin"))
    }
}
