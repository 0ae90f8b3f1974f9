internal import SluiceCore
internal import SluiceHTTP
internal import SluiceNet
internal import SluiceTLS

/// Opens a connection to an endpoint: resolves its name, races its addresses, passes the egress proxy, does the TLS handshake.
enum UpstreamDial {
    struct Opened {
        let transport: Transport
        let isHTTP2: Bool
        /// What the provider has sent already: an HTTP/2 server may begin right after the handshake.
        var received: ByteBuffer?
    }

    static func open(
        _ endpoint: Endpoint, by deadline: Instant, on loop: EventLoop, resolver: Resolver
    ) async throws(UpstreamError) -> Opened {
        let transport = try await connect(endpoint, by: deadline, on: loop, resolver: resolver)
        guard endpoint.proxy != nil || endpoint.tls != nil else {
            return Opened(transport: transport, isHTTP2: endpoint.http == .http2)
        }
        let opening = ConnectionOpening(transport: transport, endpoint: endpoint)
        let received = try await opening.run(by: deadline)
        let isHTTP2 = endpoint.tls == nil ? endpoint.http == .http2 : transport.applicationProtocol == .http2
        return Opened(transport: transport, isHTTP2: isHTTP2, received: received)
    }

    private static func connect(
        _ endpoint: Endpoint, by deadline: Instant, on loop: EventLoop, resolver: Resolver
    ) async throws(UpstreamError) -> Transport {
        let host = endpoint.proxy?.host ?? endpoint.host
        let port = endpoint.proxy?.port ?? endpoint.port
        let addresses: [SocketAddress]
        if let path = endpoint.unixPath {
            addresses = [.unix(path)]
        } else {
            do throws(Resolver.Failure) {
                addresses = try await resolver.resolve(host, by: deadline, on: loop).map { $0.with(port: port) }
            } catch {
                let isLate = error == .timedOut(host)
                throw UpstreamError(isLate ? .connectTimeout : .name, error.text, isUnprocessed: true)
            }
        }
        // Judged here, on what is connected to: a name that answers otherwise the second time gains nothing.
        if endpoint.requiresPublicAddress, !addresses.allSatisfy(\.isPublic) {
            throw UpstreamError(.connect, "\(host) is not a host of the public internet", isUnprocessed: true)
        }
        do throws(Connector.Failure) {
            return try await Connector.connect(to: addresses, by: deadline, on: loop)
        } catch {
            guard let cause = error.error else {
                throw UpstreamError(
                    .connectTimeout, "\(host):\(port) accepted no connection in time", isUnprocessed: true)
            }
            throw UpstreamError(.connect, "no connection to \(host):\(port): \(cause.reason)", isUnprocessed: true)
        }
    }
}
