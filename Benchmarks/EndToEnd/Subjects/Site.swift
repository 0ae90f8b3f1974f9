/// Where one start of a proxy lives: its directory, its ports, its upstream and its certificate.
struct Site {
    let directory: String
    /// HTTP/1.1, and HTTP/2 as well where the proxy serves both on a port.
    let plainPort: UInt16
    /// HTTP/2 by prior knowledge, for a proxy that wants a port for it.
    let http2Port: UInt16
    /// TLS, with ALPN for `h2` and `http/1.1`.
    let tlsPort: UInt16
    let adminPort: UInt16
    let upstreamPort: UInt16
    /// Where a Redis listens; `nil` if none is installed.
    let redisPort: UInt16?
    /// Where nobody listens.
    let deadPort: UInt16
    let policies: Policies
    let certificate: Certificate
}
