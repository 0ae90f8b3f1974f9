internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceIdentity
internal import SluiceJSON
internal import SluiceNet
internal import SluicePolicy

/// `/oauth/token`, where clients get tokens of Sluice's own, and the keys that verify them. Errors are OAuth's (RFC 6749 §5.2), for
/// OAuth's libraries ask here.
enum TokenIssuing {
    static func answer(_ context: RequestContext, _ office: TokenOffice) async throws(Rejection) {
        guard let policy = context.snapshot.access else { throw Reception.unknownURL(context) }
        let exchange = context.exchange
        let watch = context.snapshot.lasting.accessWatch
        let limit = policy.settings.failuresPerMinute
        if let wait = watch.failures.wait(exchange.peer.host, at: exchange.loop.now, limit: limit) {
            throw Authentication.tooMany(wait)
        }
        do throws(TokenRequest.Refusal) {
            let request = try await read(context)
            let now = Int(EventLoop.readWallClock() / 1_000_000_000)
            let issued = try office.issue(request, under: policy, at: now) { secret in
                secret.withExposed { holder($0, policy, now) }
            }
            send(issued, context)
        } catch {
            if error == .invalidClient {
                _ = watch.failures.note(exchange.peer.host, at: exchange.loop.now, limit: limit)
                watch.refused(
                    RefusedAccess(
                        reason: error.rawValue, status: error.status, principal: nil, address: exchange.peer.host,
                        route: "\(context.route)", requestID: context.requestID))
            }
            refuse(error, context)
        }
    }

    /// A key only: a token is not given for another, or it would never end.
    private static func holder(_ secret: Span<UInt8>, _ policy: AccessPolicy, _ now: Int) -> CredentialVerdict {
        for verifier in policy.verifiers {
            if case .principal(let principal) = verifier.verify(secret, under: policy, at: now), principal.kind == .key {
                return .principal(principal)
            }
        }
        return .refused(.unknown)
    }

    private static func read(_ context: RequestContext) async throws(TokenRequest.Refusal) -> TokenRequest {
        let exchange = context.exchange
        let type = exchange.head.fields.text(.contentType)?.prefix { $0 != ";" }.lowercased() ?? ""
        guard type.filter({ $0 != " " }) == "application/x-www-form-urlencoded",
            exchange.head.fields.occurrences(of: .authorization) <= 1
        else { throw .invalidRequest }
        let body: ByteBuffer
        do throws(DownstreamFailure) {
            body = try await exchange.collectBody(atMost: TokenRequest.formByteCountMax)
        } catch {
            throw .invalidRequest
        }
        let fields = exchange.head.fields
        if let index = fields.index(of: .authorization) {
            return try TokenRequest(form: body.span, authorization: fields.value(at: index))
        }
        return try TokenRequest(form: body.span, authorization: nil)
    }

    // MARK: Replies

    private static func send(_ issued: TokenOffice.Issued, _ context: RequestContext) {
        context.principal = issued.client
        let body = ByteBuffer(capacity: 1024)
        var json = JSONWriter(into: body)
        json.object { json in
            json.key("access_token")
            issued.token.withExposed { json.string($0) }
            json.key("token_type")
            json.string("Bearer")
            json.key("expires_in")
            json.int(issued.lifetimeSeconds)
            if !issued.scope.isEmpty {
                json.key("scope")
                json.string(issued.scope)
            }
        }
        send(body, 200, context)
    }

    private static func refuse(_ refusal: TokenRequest.Refusal, _ context: RequestContext) {
        if context.exchange.isAbandoned { return }
        if refusal == .invalidClient { context.challenge = #"Basic realm="sluice""# }
        context.rejection = Rejection(
            .caller, Status(UInt16(refusal.status)), code: refusal.rawValue, "\(refusal.description)")
        let body = ByteBuffer(capacity: 256)
        var json = JSONWriter(into: body)
        json.object { json in
            json.key("error")
            json.string(refusal.rawValue)
            json.key("error_description")
            json.string(refusal.description)
        }
        send(body, Status(UInt16(refusal.status)), context)
    }

    private static func send(_ body: ByteBuffer, _ status: Status, _ context: RequestContext) {
        var fields = HeaderFields(reservingBytes: 256, fields: 5)
        fields.append(.contentType, "application/json")
        // A token must not be kept by anybody on the way (RFC 6749 §5.1).
        fields.append(.cacheControl, "no-store")
        if let challenge = context.challenge { fields.append(.wwwAuthenticate, challenge) }
        if status == 429 { fields.append(.retryAfter, "1") }
        context.appendRequestID(to: &fields)
        context.status = status
        context.firstByteAt = context.exchange.loop.now
        context.exchange.sendHead(ResponseHead(status, fields: fields), body: .known(body.count))
        context.exchange.send(sharing: body)
        context.exchange.finish()
    }

    /// `/.well-known/jwks.json`, for everybody: these halves are public.
    ///
    /// - Returns: whether it was asked for, and so has been answered.
    static func answersKeys(
        _ target: borrowing RequestTarget, _ context: RequestContext, _ office: TokenOffice
    ) throws(Rejection) -> Bool {
        guard target.segmentCount == 2, target.segment(0, is: ".well-known"), target.segment(1, is: "jwks.json") else {
            return false
        }
        context.route = "/.well-known/jwks.json"
        let method = context.exchange.head.method
        if method != .get && method != .head { throw Reception.methodNotAllowed("GET, HEAD", context) }
        LocalReplies.send(office.mint.publish(), context)
        return true
    }
}
