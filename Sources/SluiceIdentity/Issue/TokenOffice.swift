package import SluiceCore
internal import SluiceNet
package import SluicePolicy
internal import SluiceTLS
internal import Synchronization

/// Sluice's own token endpoint but for HTTP: who may have a token, and how many. Shared by all workers.
package final class TokenOffice: Sendable {
    /// A client that the configuration names.
    package struct Client: Sendable {
        package let id: String
        package let secret: Secret
        package let grant: Grant

        package init(id: String, secret: Secret, grant: Grant) {
            self.id = id
            self.secret = secret
            self.grant = grant
        }
    }

    package struct Issued: Sendable {
        package let token: Secret
        package let lifetimeSeconds: Int
        package let scope: String
        package let client: Principal
    }

    package let mint: TokenMint
    private let clients: [String: Client]
    private let requestsPerMinute: Int
    /// By client that has proved itself: there are no more than clients.
    private let allowances = Mutex<[String: Allowance]>([:])

    private struct Allowance: Sendable {
        var rest: Double
        var at: Instant
    }

    package init(mint: TokenMint, clients: [Client] = [], requestsPerMinute: Int = 60) {
        self.mint = mint
        self.clients = Dictionary(clients.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.requestsPerMinute = requestsPerMinute
    }

    /// - Parameters:
    ///   - key: says whom an API key is for that was shown as the secret.
    ///   - now: seconds since 1970.
    package func issue(
        _ request: TokenRequest, under policy: AccessPolicy, at now: Int,
        key: (Secret) -> CredentialVerdict
    ) throws(TokenRequest.Refusal) -> Issued {
        let principal = try authenticate(request, policy, key)
        let scope = principal.roles.joined(separator: " ")
        if let wanted = request.scope, !wanted.isEmpty {
            guard Set(wanted.split(separator: " ").map(String.init)) == Set(principal.roles) else {
                throw .invalidScope
            }
        }
        guard admit(principal.id, at: EventLoop.readClock()) else { throw .temporarilyUnavailable }
        do throws(TLSError) {
            return Issued(
                token: try mint.token(for: principal.id, scope: scope, at: now), lifetimeSeconds: mint.lifetimeSeconds,
                scope: scope, client: principal)
        } catch {
            throw .serverError
        }
    }

    private func authenticate(
        _ request: TokenRequest, _ policy: AccessPolicy, _ key: (Secret) -> CredentialVerdict
    ) throws(TokenRequest.Refusal) -> Principal {
        if let client = clients[request.clientID] {
            guard request.clientSecret.withExposed(client.secret.matches) else { throw .invalidClient }
            return Self.principal(client, policy)
        }
        guard case .principal(let principal) = key(request.clientSecret),
            principal.id == request.clientID || principal.id == "key:" + request.clientID
        else { throw .invalidClient }
        return principal
    }

    private static func principal(_ client: Client, _ policy: AccessPolicy) -> Principal {
        client.grant.principal(id: "client:" + client.id, kind: .token, user: client.id, under: policy)
    }

    /// Whom a token is for that was given to a client of the configuration: one that is gone has none any more.
    package func holder(_ id: String, under policy: AccessPolicy) -> CredentialVerdict {
        guard id.hasPrefix("client:"), let client = clients[String(id.dropFirst("client:".utf8.count))] else {
            return .refused(.unknown, of: id)
        }
        return .principal(Self.principal(client, policy))
    }

    /// A minute's worth at once, and then as they come back.
    private func admit(_ client: String, at now: Instant) -> Bool {
        let most = Double(requestsPerMinute)
        return allowances.withLock { allowances in
            var allowance = allowances[client] ?? Allowance(rest: most, at: now)
            let seconds = Double(max(0, (now - allowance.at).nanoseconds)) / 1_000_000_000
            allowance.rest = min(most, allowance.rest + seconds * most / 60)
            allowance.at = now
            defer { allowances[client] = allowance }
            if allowance.rest < 1 { return false }
            allowance.rest -= 1
            return true
        }
    }
}
