internal import SluiceCore
internal import SluiceNet
internal import SluiceTLS

/// Opens a connection to a server: resolves its name, tries its addresses, begins TLS.
enum RedisDial {
    /// - Returns: a connected transport. Its TLS handshake may still be under way; what is written waits for it.
    static func open(
        _ address: RedisAddress, tls: RedisSettings.TLS?, by deadline: Instant, on loop: EventLoop, resolver: Resolver
    ) async throws(RedisUnavailable) -> Transport {
        let addresses = try await resolve(address, by: deadline, on: loop, resolver)
        let transport: Transport
        do throws(Connector.Failure) {
            transport = try await Connector.connect(to: addresses, by: deadline, on: loop)
        } catch {
            throw RedisUnavailable(.refused(error.error?.reason ?? "no connection in time"))
        }
        guard let tls else { return transport }
        do throws(TLSError) {
            let (host, port) = tlsName(address, tls)
            transport.startTLS(try TLSSession(upstream: tls.context, host: host, port: port))
        } catch {
            transport.close()
            throw RedisUnavailable(.refused(error.message))
        }
        return transport
    }

    private static func resolve(
        _ address: RedisAddress, by deadline: Instant, on loop: EventLoop, _ resolver: Resolver
    ) async throws(RedisUnavailable) -> [SocketAddress] {
        switch address {
        case .unix(let path): return [.unix(path)]
        case .host(let host, let port):
            do throws(Resolver.Failure) {
                return try await resolver.resolve(host, by: deadline, on: loop).map { $0.with(port: port) }
            } catch {
                throw RedisUnavailable(.refused(error.text))
            }
        }
    }

    private static func tlsName(_ address: RedisAddress, _ tls: RedisSettings.TLS) -> (String, UInt16) {
        switch address {
        case .unix: (tls.serverName ?? "localhost", 0)
        case .host(let host, let port): (tls.serverName ?? host, port)
        }
    }
}
