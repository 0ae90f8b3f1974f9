package import SluiceCore
package import SluiceHTTP
package import SluiceJSON
internal import SluiceTLS
package import SluiceUpstream
internal import Synchronization

/// Where a token comes from that is exchanged for a key, and the one there is. Shared by all workers.
package final class TokenSource: Sendable {
    /// Which platform is asked, and with what.
    package enum Recipe: Sendable {
        /// Baidu's v1 (baidu sheet, section 3.1).
        case baidu(apiKey: Secret, secretKey: Secret, path: String? = nil)
        /// Microsoft Entra ID, client credentials (azure sheet, section 2).
        case azure(tenant: String, clientID: String, clientSecret: Secret, scope: String, path: String? = nil)
        /// A Google service account's signed assertion (gemini sheet, section 1).
        case google(GoogleServiceAccount)
    }

    /// Of the token's origin.
    package let endpoint: Endpoint
    private let recipe: Recipe
    private struct State {
        var token: (token: ExpiringToken, marginSeconds: Int)?
        var renewals = 0
    }

    private let state = Mutex(State())
    /// A token is renewed so long before its end, in seconds: a request that is under way must not outlive it. One that does
    /// not last long itself is renewed when half of its time is over.
    private static let marginSecondsMax = 60

    package init(_ recipe: Recipe, endpoint: Endpoint) {
        self.recipe = recipe
        self.endpoint = endpoint
    }

    /// The token, if it is good for a while.
    package func current(at seconds: Int) -> Secret? {
        state.withLock { state in
            guard let (token, margin) = state.token, token.isGood(at: seconds, marginSeconds: margin) else { return nil }
            return token.value
        }
    }

    /// Counts up with every token that was accepted: says which one a request has shown.
    package var renewals: Int { state.withLock { $0.renewals } }

    /// Overwrites the token, and what it is exchanged for.
    package func conceal(in buffer: ByteBuffer) {
        if let token = state.withLock({ $0.token?.token.value }) { Concealment.conceal(token, in: buffer) }
        switch recipe {
        case .baidu(let apiKey, let secretKey, _):
            Concealment.conceal(apiKey, in: buffer)
            Concealment.conceal(secretKey, in: buffer)
        case .azure(_, _, let clientSecret, _, _): Concealment.conceal(clientSecret, in: buffer)
        case .google: break  // the key never leaves: only what it signed does
        }
    }

    /// The provider does not accept it: the next request asks for another one. A token that has come since stays.
    ///
    /// - Parameter renewals: as it was when the request was signed that was refused.
    package func forget(ofRenewals renewals: Int) {
        state.withLock { state in if state.renewals == renewals { state.token = nil } }
    }

    /// The request that gets a token.
    package func request(at seconds: Int) throws(UpstreamError) -> UpstreamRequest {
        let wanted = try tokenRequest(at: seconds)
        var fields = HeaderFields()
        fields.append(.accept, "application/json")
        if let type = wanted.contentType {
            fields.append(name: "content-type".utf8Span.span, value: type.utf8Span.span)
        }
        let body = wanted.body.withExposed { ByteBuffer(copying: $0) }
        return UpstreamRequest(
            method: wanted.method, target: wanted.target.withExposed { bytes in [UInt8](copying: bytes) },
            fields: fields,
            body: .parts([UpstreamRequest.Part(body, 0..<body.count)], byteCount: body.count))
    }

    private func tokenRequest(at seconds: Int) throws(UpstreamError) -> TokenRequest {
        switch recipe {
        case .baidu(let apiKey, let secretKey, let path):
            return .baidu(apiKey: apiKey, secretKey: secretKey, path: path)
        case .azure(let tenant, let clientID, let clientSecret, let scope, let path):
            return .azure(tenant: tenant, clientID: clientID, clientSecret: clientSecret, scope: scope, path: path)
        case .google(let account):
            do throws(TLSError) {
                return try account.tokenRequest(at: seconds)
            } catch {
                throw UpstreamError(.tls, "the service account's key cannot sign: \(error.message)")
            }
        }
    }

    /// Takes what the token's platform answered.
    package func accept(_ document: JSONValue?, status: Status, at seconds: Int) throws(TokenReply.Refusal) {
        let reply = try TokenReply.oauth(document, status: status)
        let margin = min(Self.marginSecondsMax, reply.lifetimeSeconds / 2)
        state.withLock { state in
            state.token = (reply.expiring(receivedAt: seconds), margin)
            state.renewals += 1
        }
    }
}
