package import SluiceCore

/// A proxy that opens tunnels to providers by CONNECT (RFC 9110 §9.3.6).
package struct TunnelProxy: Sendable, Hashable {
    package let host: String
    package let port: UInt16
    /// The value of `proxy-authorization`, if the proxy asks for one.
    package let authorization: Secret?

    package init(host: String, port: UInt16, authorization: Secret? = nil) {
        self.host = host
        self.port = port
        self.authorization = authorization
    }
}
