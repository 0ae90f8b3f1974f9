internal import SluiceCore
package import SluiceTLS

/// One base URL of a provider and how to reach it. Credentials are no part of it: they travel with each request.
package final class Endpoint: Sendable {
    package enum HTTPChoice: Sendable, Equatable {
        /// HTTP/2 where TLS agrees on it, else HTTP/1.1.
        case automatic
        case http1
        /// By ALPN under TLS, by prior knowledge without.
        case http2
    }

    package struct PoolLimits: Sendable, Equatable {
        /// Connections per worker.
        package var connectionsMax = 10_000
        /// Requests that wait for a connection, per worker.
        package var waitersMax = 1024
        /// The longest wait for a connection.
        package var wait = Duration.seconds(5)
        /// An unused connection is closed after this.
        package var idle = Duration.seconds(60)
        /// A connection takes no new request after this: it follows changes of addresses and rebalances.
        package var age = Duration.seconds(3600)

        package init() {}
    }

    package let isTLS: Bool
    package let host: String
    package let port: UInt16
    /// A unix socket to connect to instead of the host.
    package let unixPath: String?
    /// What `host` or `:authority` says: the port only if it is not the scheme's own.
    package let authority: [UInt8]
    package let tls: TLSContext?
    /// The name that the certificate must be for; the host's own unless the configuration says otherwise.
    package let tlsName: String
    package let http: HTTPChoice
    package let proxy: TunnelProxy?
    package let limits: PoolLimits
    /// Only addresses of the public internet are connected to: for URLs that come from callers.
    package let requiresPublicAddress: Bool
    /// Two endpoints with the same identity may share connections, also across a reload.
    package let identity: String

    package init(
        isTLS: Bool, host: String, port: UInt16, unixPath: String? = nil, tls: TLSContext?, tlsName: String? = nil,
        tlsIdentity: String = "",
        http: HTTPChoice, proxy: TunnelProxy?, limits: PoolLimits, requiresPublicAddress: Bool = false
    ) {
        self.isTLS = isTLS
        self.host = host
        self.port = port
        self.unixPath = unixPath
        let name = host.contains(":") ? "[\(host)]" : host
        authority = Array((port == (isTLS ? 443 : 80) ? name : "\(name):\(port)").utf8)
        self.tls = tls
        self.tlsName = tlsName ?? host
        self.http = http
        self.proxy = proxy
        self.limits = limits
        self.requiresPublicAddress = requiresPublicAddress
        let scheme = isTLS ? "https" : "http"
        identity =
            "\(scheme)://\(name):\(port) \(unixPath ?? "") \(http) \(proxy.map { "\($0.host):\($0.port)" } ?? "") \(tlsIdentity)"
    }
}
