internal import SluiceCore

/// Where a listener is bound: `127.0.0.1:4010`, `[::]:443`, `localhost:0`, `*:4010`, `unix:/run/sluice.sock`.
package enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// An IPv4 address in four numbers.
    case ip4(String, port: UInt16)
    /// An IPv6 address without brackets; `::` is every address, IPv4 included.
    case ip6(String, port: UInt16)
    /// The absolute path of a socket.
    case unix(String)

    /// What `sun_path` holds without its final zero.
    package static let pathByteCountMax = 107
    package static let allowed = "an address: 127.0.0.1:4010, [::1]:4010, localhost:4010, *:4010 or unix:/path"

    /// `nil` for anything else. Port 0 is whichever is free.
    package init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = text.dropFirst(5)
            if !path.hasPrefix("/") || path.utf8.count > Self.pathByteCountMax || path.utf8.contains(0) { return nil }
            self = .unix(String(path))
            return
        }
        let bytes = Array((text.hasPrefix("*:") ? "[::]" + text.dropFirst() : text[...]).utf8)
        guard let (host, number) = HostAndPort.split(bytes[...]), let number, let port = UInt16(exactly: number) else {
            return nil
        }
        if HostAndPort.isIPv4(host) {
            self = .ip4(host, port: port)
        } else if HostAndPort.isIPv6(host) {
            self = .ip6(host, port: port)
        } else if host == "localhost" {
            self = .ip4("127.0.0.1", port: port)
        } else {
            return nil
        }
    }

    package var description: String {
        switch self {
        case .ip4(let host, let port): "\(host):\(port)"
        case .ip6(let host, let port): "[\(host)]:\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    package var port: UInt16? {
        switch self {
        case .ip4(_, let port), .ip6(_, let port): port
        case .unix: nil
        }
    }

    /// Whether only this machine can connect.
    package var isLocal: Bool {
        switch self {
        case .ip4(let host, _): host.hasPrefix("127.")
        case .ip6(let host, _): host == "::1"
        case .unix: true
        }
    }

    /// Whether a connection that this machine makes to `url` arrives here.
    package func isReached(by url: BaseURL) -> Bool {
        switch self {
        case .unix: false
        case .ip4(let host, let port), .ip6(let host, let port):
            port != 0 && Int(port) == url.port
                && (host == url.host || Self.isLoopback(url.host) && (isLocal || host == "::" || host == "0.0.0.0"))
        }
    }

    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || (host.hasPrefix("127.") && HostAndPort.isIPv4(host))
    }
}

extension ConfigRule where Value == ListenAddress {
    package static var listenAddress: ConfigRule {
        text("address", allowed: ListenAddress.allowed, placeholder: .unix("/"), show: \.description) {
            ListenAddress($0)
        }
    }
}
