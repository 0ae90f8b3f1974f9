package import SluiceCore

/// The way out to a provider.
package enum EgressProxy: Sendable, Equatable, CustomStringConvertible {
    /// What `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say, in either case.
    case environment
    case none
    /// An HTTP proxy that is asked to CONNECT.
    case url(BaseURL)

    package var description: String {
        switch self {
        case .environment: "env"
        case .none: "none"
        case .url(let url): url.description
        }
    }

    /// A proxy to use, with the `user:password` that it wants.
    package struct Route: Sendable, Equatable {
        package var url: BaseURL
        package var credentials: Secret?
    }

    /// The proxy on the way to `url`, if there is one.
    ///
    /// - Throws: the name of the variable and what it should hold, if its value is not the URL of a proxy.
    package func route(
        to url: BaseURL, credentials: Secret?, environment: ConfigEnvironment
    ) throws(ConfigErrors) -> Route? {
        switch self {
        case .none: return nil
        case .url(let proxy): return Route(url: proxy, credentials: credentials)
        case .environment:
            if Self.isExempt(url, environment) { return nil }
            let names = url.scheme.isSecure ? ["HTTPS_PROXY", "https_proxy"] : ["http_proxy", "HTTP_PROXY"]
            for name in names + ["ALL_PROXY", "all_proxy"] {
                guard let text = environment.nonEmptyVariable(name) else { continue }
                do {
                    return try Self.parse(text)
                } catch {
                    throw ConfigErrors([ConfigMistake(path: "$" + name, location: nil, message: error.message)])
                }
            }
            return nil
        }
    }

    /// A proxy as variables hold it: the scheme may be missing, a user and a password may be there.
    static func parse(_ text: String) throws(BaseURL.Malformed) -> Route {
        let whole = text.contains("://") ? text : "http://" + text
        guard let at = whole.utf8.lastIndex(of: UInt8(ascii: "@")), let start = whole.firstRange(of: "://")?.upperBound,
            start <= at
        else { return Route(url: try proxyURL(whole)) }
        let url = try proxyURL(String(whole[..<start]) + String(whole[whole.utf8.index(after: at)...]))
        return Route(url: url, credentials: Secret(percentDecoded(whole[start..<at]).span))
    }

    private static func proxyURL(_ text: String) throws(BaseURL.Malformed) -> BaseURL {
        try BaseURL(text, schemes: [.http, .https])
    }

    private static func percentDecoded(_ text: Substring) -> [UInt8] {
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2).compactMap(\.hexDigitValue)
            if byte == UInt8(ascii: "%"), digits.count == 2 {
                result.append(UInt8(truncatingIfNeeded: digits[0] << 4 | digits[1]))
                rest = rest.dropFirst(2)
            } else {
                result.append(byte)
            }
        }
        return result
    }

    // MARK: NO_PROXY

    /// The machine itself is always exempt. An entry is `*`, a name (which covers the names below it), an address or a
    /// range of IPv4 addresses, and may end in a port.
    static func isExempt(_ url: BaseURL, _ environment: ConfigEnvironment) -> Bool {
        if url.host == "localhost" || url.host == "::1" { return true }
        if HostAndPort.isIPv4(url.host), url.host.hasPrefix("127.") { return true }
        let list = environment.nonEmptyVariable("NO_PROXY") ?? environment.nonEmptyVariable("no_proxy") ?? ""
        return list.split(whereSeparator: { $0 == "," || $0 == " " }).contains { covers(String($0).lowercased(), url) }
    }

    private static func covers(_ entry: String, _ url: BaseURL) -> Bool {
        if entry == "*" { return true }
        if entry.contains("/") { return isInRange(url.host, entry) }
        var host = entry
        if host.hasPrefix("*.") { host.removeFirst() }
        if host.hasPrefix(".") { host.removeFirst() }
        if HostAndPort.isIPv6(host) { return host == url.host }
        guard let (name, port) = HostAndPort.split(Array(host.utf8)[...]) else { return false }
        if let port, port != url.port { return false }
        host = name
        return url.host == host || (!HostAndPort.isIPv4(host) && url.host.hasSuffix("." + host))
    }

    private static func isInRange(_ host: String, _ range: String) -> Bool {
        let parts = range.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let bits = Int(parts[1]), 0...32 ~= bits else { return false }
        guard let address = number(host), let base = number(String(parts[0])) else { return false }
        return bits == 0 || (address ^ base) >> UInt32(32 - bits) == 0
    }

    private static func number(_ address: String) -> UInt32? {
        if !HostAndPort.isIPv4(address) { return nil }
        return address.split(separator: ".").reduce(0) { $0 << 8 | (UInt32($1) ?? 0) }
    }
}

extension ConfigRule where Value == EgressProxy {
    static var egressProxy: ConfigRule {
        let schemes: [BaseURL.Scheme] = [.http, .https]
        return text(
            "proxy", allowed: "env, none or an http or https URL without user, path, query and fragment",
            placeholder: .none, show: \.description
        ) { text in
            switch text {
            case "env": return .environment
            case "none": return EgressProxy.none
            default:
                guard let url = try? BaseURL(text), schemes.contains(url.scheme), url.path.isEmpty else { return nil }
                return .url(url)
            }
        }
    }
}
