package import SluiceTLS

/// Whether and how images that a request names by URL are fetched, for providers that take them as data alone.
package struct MediaPolicy: Sendable {
    /// Off unless the configuration says so: a caller would choose where we connect to.
    package var fetches = false
    /// Hosts that may be asked, in lower case; `*.example.com` are those below. Empty: all of the public internet.
    package var hosts: [String] = []
    /// For tests and closed networks: also hosts that are not of the public internet.
    package var allowsPrivateAddresses = false
    /// Of one image, in bytes.
    package var byteCountMax = 20_971_520
    /// Images of one request.
    package var countMax = 16
    package var timeout = Duration.seconds(10)
    /// How hosts are verified; `nil` if nothing is fetched.
    package var tls: TLSContext?

    package init() {}

    func allows(_ host: String) -> Bool {
        if hosts.isEmpty { return true }
        return hosts.contains { $0.hasPrefix("*.") ? host.hasSuffix($0.dropFirst()) : $0 == host }
    }
}
