/// A proxy that opens tunnels to providers by CONNECT (RFC 9110 §9.3.6).
package struct EgressProxy: Sendable, Hashable {
    package let host: String
    package let port: UInt16
    /// The value of `proxy-authorization`, if the proxy asks for one.
    package let authorization: String?

    package init(host: String, port: UInt16, authorization: String? = nil) {
        self.host = host
        self.port = port
        self.authorization = authorization
    }

    /// Whether a host is exempt by a `NO_PROXY` list: `*`, a name and its subdomains (with or without a leading dot), an address.
    package static func isExempt(_ host: String, by list: String) -> Bool {
        let host = host.lowercased()
        for entry in list.split(whereSeparator: { $0 == "," || $0 == " " }) {
            if entry == "*" { return true }
            var suffix = entry.lowercased()
            if let colon = suffix.lastIndex(of: ":"), !suffix.contains("]"), suffix.firstIndex(of: ":") == colon {
                suffix = String(suffix[..<colon])
            }
            if suffix.hasPrefix("*.") { suffix.removeFirst() }
            let name = suffix.hasPrefix(".") ? String(suffix.dropFirst()) : suffix
            if name.isEmpty { continue }
            if host == name || host.hasSuffix("." + name) { return true }
        }
        return false
    }
}
