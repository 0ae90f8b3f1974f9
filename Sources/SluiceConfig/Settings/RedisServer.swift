package import SluiceCore

/// Where a Redis server or sentinel listens.
package enum RedisServer: Sendable, Equatable, CustomStringConvertible {
    /// A name or an address in lower case, an IPv6 address without brackets.
    case host(String, port: UInt16)
    /// The absolute path of a socket.
    case unix(String)

    /// Reads `redis-1`, `10.0.0.7:6380` or `[::1]:6379`.
    init?(_ text: String, defaultPort: UInt16) {
        guard let (host, port) = HostAndPort.split(Array(text.utf8)[...]), 1...253 ~= host.utf8.count else {
            return nil
        }
        guard let port = port.map({ UInt16(exactly: $0) }) ?? defaultPort, port > 0 else { return nil }
        self = .host(host, port: port)
    }

    package var description: String {
        switch self {
        case .host(let host, let port): host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

extension ConfigRule where Value == RedisServer {
    static func redisServer(defaultPort: UInt16) -> ConfigRule {
        text(
            "address",
            allowed: "a host with or without a port: redis-1, 10.0.0.7:\(defaultPort) or [::1]:\(defaultPort)",
            placeholder: .host("invalid", port: 1), show: \.description
        ) {
            RedisServer($0, defaultPort: defaultPort)
        }
    }
}

/// All that a URL says of one server: `redis://user:password@host:6379/0`, `rediss://` for TLS, or `unix:/path`
/// (the scheme "redis" as registered with IANA).
package struct RedisURL: Sendable, Equatable {
    package var server = RedisServer.host("invalid", port: 1)
    package var isTLS = false
    package var username: String?
    package var password: Secret?
    package var database: Int?

    static let allowed = "redis://user:password@host:6379/0, rediss://… for TLS, or unix:/path"

    /// `nil` for anything else. User and password may be percent-encoded.
    init?(_ text: String) {
        if text.utf8.count > BaseURL.byteCountMax { return nil }
        if text.hasPrefix("unix:") {
            let path = text.hasPrefix("unix://") ? text.dropFirst(7) : text.dropFirst(5)
            if !path.hasPrefix("/") || path.utf8.count > ListenAddress.pathByteCountMax || path.utf8.contains(0) {
                return nil
            }
            server = .unix(String(path))
            return
        }
        isTLS = text.hasPrefix("rediss://")
        if !isTLS, !text.hasPrefix("redis://") { return nil }
        var rest = text.dropFirst(isTLS ? 9 : 8)
        if let slash = rest.firstIndex(of: "/") {
            let path = rest[rest.index(after: slash)...]
            rest = rest[..<slash]
            if !path.isEmpty {
                guard let number = Int(path), RedisConfiguration.databases ~= number else { return nil }
                database = number
            }
        }
        if let at = rest.lastIndex(of: "@") {
            guard readUser(rest[..<at]) else { return nil }
            rest = rest[rest.index(after: at)...]
        }
        guard let server = RedisServer(String(rest), defaultPort: 6379) else { return nil }
        self.server = server
    }

    /// `user:password` or `:password`.
    private mutating func readUser(_ text: Substring) -> Bool {
        guard let colon = text.firstIndex(of: ":"), let user = Self.decoded(text[..<colon]),
            let password = Self.decoded(text[text.index(after: colon)...]), !password.isEmpty
        else { return false }
        if !user.isEmpty { username = String(decoding: user, as: UTF8.self) }
        self.password = Secret(password.span)
        return true
    }

    /// Without percent-encoding (RFC 3986 §2.1); `nil` if there is a percent sign that begins none.
    private static func decoded(_ text: Substring) -> [UInt8]? {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] != UInt8(ascii: "%") {
                result.append(bytes[index])
                index += 1
                continue
            }
            guard index + 2 < bytes.count, let high = bytes[index + 1].hexDigitValue,
                let low = bytes[index + 2].hexDigitValue
            else { return nil }
            result.append(UInt8(high << 4 | low))
            index += 3
        }
        return result
    }
}

extension ConfigRule where Value == RedisURL? {
    /// A secret as a whole: it may hold a password.
    static var redisURL: ConfigRule {
        ConfigRule(type: "secret URL", allowed: RedisURL.allowed, placeholder: nil, isSecret: true) {
            value, context throws(ConfigRefusal) in
            guard let url = RedisURL(try context.secret(of: value).exposedText) else { throw .notAllowed }
            return url
        } show: { _ in
            .null
        }
    }
}
