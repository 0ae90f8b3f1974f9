package import SluiceCore
package import SluiceHTTP
package import SluiceNet
package import SluiceTLS
package import SluiceUpstream

/// How servers are asked that know about identities: one at a time, without redirects, within a deadline, and only
/// where an operator has pointed to.
package struct IdentityClient: Sendable {
    package let resolver: Resolver
    /// For one question, from the first byte of the connection on.
    package let timeout: Duration
    /// Of these authorities.
    package let tls: TLSContext?
    package let tlsIdentity: String
    /// Whether a document may lead to servers inside the network, and http is spoken with other machines.
    package let trustsNetwork: Bool
    /// Where connections wait for the next question; `nil`: each question has one of its own, as there are few.
    package let pools: IdentityPools?

    package init(
        resolver: Resolver, timeout: Duration, tls: TLSContext?, tlsIdentity: String = "", trustsNetwork: Bool = false,
        pools: IdentityPools? = nil
    ) {
        self.resolver = resolver
        self.timeout = timeout
        self.tls = tls
        self.tlsIdentity = tlsIdentity
        self.trustsNetwork = trustsNetwork
        self.pools = pools
    }

    /// Why a question has no answer; a log may say it.
    package struct Failure: Error, Sendable, Equatable {
        package let detail: String
        package init(_ detail: String) { self.detail = detail }
    }

    package struct Question: Sendable {
        package var url: String
        /// `nil`: GET, or POST with a body.
        package var method: Method?
        /// A form or a JSON text to send; `nil`: only to get.
        package var body: [UInt8]?
        package var bodyType: StaticString = "application/json"
        /// The value of `authorization`.
        package var authorization: Secret?
        package var replyByteCountMax = KeySet.documentByteCountMax
        /// The URL comes from a document, not from the configuration: it leads to the public internet only, unless that
        /// names the same host.
        package var isFollowed = false
        package var configuredHost: String?

        package init(url: String) { self.url = url }
    }

    package struct Answer: Sendable {
        package let status: Int
        package let body: [UInt8]
        /// How long it is good for, as it says (`cache-control`, RFC 9111 §5.2.2.1).
        package let maxAge: Duration?
    }

    /// To be called on a loop.
    package func ask(_ question: Question) async throws(Failure) -> Answer {
        guard let loop = EventLoop.current else { throw Failure("asked off the loops") }
        let url = try Self.check(question.url, trustsNetwork: trustsNetwork)
        let deadlines = Deadlines(
            connect: timeout, head: timeout, idle: timeout, total: EventLoop.readClock() + timeout)
        do throws(UpstreamError) {
            guard let pools else {
                let pool = ConnectionPool(endpoint: endpoint(url, question), loop: loop, resolver: resolver)
                defer { pool.drain() }
                return try await ask(question, url, pool, deadlines, fresh: true)
            }
            let pool = pools.pool(for: endpoint(url, question), on: loop, resolver)
            do throws(UpstreamError) {
                return try await ask(question, url, pool, deadlines, fresh: false)
            } catch  where error.reason == .closedBeforeHead {
                // It had been closed while it was unused. To ask twice changes nothing.
                return try await ask(question, url, pool, deadlines, fresh: true)
            }
        } catch {
            throw Failure("\(url.host): \(error.detail)")
        }
    }

    private func ask(
        _ question: Question, _ url: WebURL, _ pool: ConnectionPool, _ deadlines: Deadlines, fresh: Bool
    ) async throws(UpstreamError) -> Answer {
        let exchange = try await pool.send(request(url, question), deadlines: deadlines, fresh: fresh)
        let head = try await exchange.responseHead()
        guard let body = try await exchange.collect(atMost: question.replyByteCountMax) else {
            exchange.cancel(UpstreamError(.cancelled, "its reply is too long"))
            throw UpstreamError(.tooLarge, "its reply is longer than \(question.replyByteCountMax) bytes")
        }
        return Answer(
            status: Int(head.status.code), body: [UInt8](copying: body.span),
            maxAge: head.fields.text(.cacheControl).flatMap(Self.maxAge))
    }

    /// https, or http where it stays on this machine.
    package static func check(_ text: String, trustsNetwork: Bool) throws(Failure) -> WebURL {
        guard let url = WebURL(text.utf8Span.span) else { throw Failure("it is no http or https URL") }
        if url.isSecure || trustsNetwork || isLoopback(url.host) { return url }
        throw Failure("it is an http URL of another machine")
    }

    package static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1"
            || host.hasPrefix("127.")
                && host.utf8.allSatisfy {
                    $0 == UInt8(ascii: ".") || $0.isDecimalDigit
                }
    }

    /// On one loop, of one server: others wait for theirs.
    private static let connectionsMax = 16

    private func endpoint(_ url: WebURL, _ question: Question) -> Endpoint {
        var limits = Endpoint.PoolLimits()
        limits.connectionsMax = pools == nil ? 1 : Self.connectionsMax
        return Endpoint(
            isTLS: url.isSecure, host: url.host, port: url.port, tls: url.isSecure ? tls : nil,
            tlsIdentity: tlsIdentity, http: .http1, proxy: nil, limits: limits,
            requiresPublicAddress: question.isFollowed && !trustsNetwork && url.host != question.configuredHost)
    }

    private func request(_ url: WebURL, _ question: Question) -> UpstreamRequest {
        var fields = HeaderFields()
        fields.append(.accept, "application/json")
        fields.append(.userAgent, "sluice")
        if let authorization = question.authorization {
            authorization.withExposed { fields.append(.authorization, $0) }
        }
        guard let body = question.body else {
            return UpstreamRequest(method: question.method ?? .get, target: url.target, fields: fields, body: .none)
        }
        fields.append(.contentType, question.bodyType)
        let buffer = ByteBuffer(copying: body.span)
        return UpstreamRequest(
            method: question.method ?? .post, target: url.target, fields: fields,
            body: .parts([UpstreamRequest.Part(buffer, 0..<buffer.count)], byteCount: buffer.count))
    }

    /// The seconds of `max-age`; zero for `no-store` and `no-cache`.
    package static func maxAge(_ cacheControl: String) -> Duration? {
        var age: Duration?
        for directive in cacheControl.lowercased().split(separator: ",") {
            let directive = directive.filter { $0 != " " && $0 != "\t" }
            if directive == "no-store" || directive == "no-cache" { return .zero }
            if directive.hasPrefix("max-age=") {
                let digits = directive.dropFirst("max-age=".utf8.count)
                age = digits.utf8.allSatisfy(\.isDecimalDigit) ? Int(digits).map { .seconds(min($0, 31_536_000)) } : nil
            }
        }
        return age
    }
}
