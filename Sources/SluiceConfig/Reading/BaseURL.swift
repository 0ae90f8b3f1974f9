internal import SluiceCore

/// Where something is reached: a URL without user, query and fragment (RFC 3986), in one spelling.
package struct BaseURL: Sendable, Hashable, CustomStringConvertible {
    package enum Scheme: String, Sendable, CaseIterable {
        case http, https, ws, wss, redis, rediss

        package var isSecure: Bool { self == .https || self == .wss || self == .rediss }

        package var defaultPort: Int {
            switch self {
            case .http, .ws: 80
            case .https, .wss: 443
            case .redis, .rediss: 6379
            }
        }
    }

    /// Why a text is not such a URL. The text is not repeated: it may hold a password.
    package struct Malformed: Error, Equatable {
        package var message: String
    }

    /// The longest URL accepted, in bytes.
    package static let byteCountMax = 2048

    package var scheme: Scheme
    /// A name or an address in lower case; an IPv6 address without its brackets.
    package var host: String
    package var port: Int
    /// Empty, or with a slash in front and none at the end: a request's path can follow it directly.
    package var path: String

    package init(scheme: Scheme, host: String, port: Int, path: String = "") {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
    }

    /// What a Host field or `:authority` says (RFC 9110 §7.2): the port only if it is not the scheme's own.
    package var authority: String {
        let host = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        return port == scheme.defaultPort ? host : "\(host):\(port)"
    }

    package var description: String { "\(scheme.rawValue)://\(authority)\(path)" }

    static let placeholder = BaseURL(scheme: .http, host: "invalid", port: 80)

    /// - Parameter schemes: those that make sense where the URL stands.
    package init(_ text: String, schemes: [Scheme] = Scheme.allCases) throws(Malformed) {
        if text.utf8.count > Self.byteCountMax {
            throw Malformed(message: "a URL of at most \(Self.byteCountMax) bytes")
        }
        let bytes = Array(text.utf8)
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes[colon...].starts(with: "://".utf8) else {
            throw Malformed(message: "a URL with a scheme, as https://api.example.com/v1")
        }
        let name = String(decoding: bytes[..<colon].map(\.asciiLowercased), as: UTF8.self)
        guard let scheme = Scheme(rawValue: name), schemes.contains(scheme) else {
            let known = alternatives(schemes.map(\.rawValue))
            throw Malformed(message: "a URL whose scheme is \(known)")
        }
        if bytes.contains(UInt8(ascii: "?")) { throw Malformed(message: "a URL without a query (\"?\")") }
        if bytes.contains(UInt8(ascii: "#")) { throw Malformed(message: "a URL without a fragment (\"#\")") }
        let rest = bytes[(colon + 3)...]
        let end = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
        if rest[..<end].contains(UInt8(ascii: "@")) {
            throw Malformed(message: "a URL without user and password: credentials have settings of their own")
        }
        let (host, port) = try Self.authority(rest[..<end])
        self.init(scheme: scheme, host: host, port: port ?? scheme.defaultPort, path: try Self.path(rest[end...]))
    }

    private static func authority(_ bytes: ArraySlice<UInt8>) throws(Malformed) -> (host: String, port: Int?) {
        guard let (host, port) = HostAndPort.split(bytes) else {
            throw Malformed(message: "a URL with a host: a name, an IPv4 address, or an IPv6 address in brackets")
        }
        if host.isEmpty || host.utf8.count > 253 {
            throw Malformed(message: "a URL with a host of 1 to 253 characters")
        }
        guard let port else { return (host, nil) }
        guard 1...65535 ~= port else { throw Malformed(message: "a URL with a port of 1 to 65535") }
        return (host, port)
    }

    private static func path(_ bytes: ArraySlice<UInt8>) throws(Malformed) -> String {
        for index in bytes.indices where !isPathByte(bytes[index]) {
            throw Malformed(message: "a URL whose path has letters, digits and \"-._~!$&'()*+,;=:@%/\" only")
        }
        var path = String(decoding: bytes, as: UTF8.self)
        while path.hasSuffix("/") { path.removeLast() }
        let segments = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst()
        for segment in segments
        where segment.isEmpty || segment.elementsEqual(".".utf8) || segment.elementsEqual("..".utf8) {
            throw Malformed(message: "a URL whose path has no empty, \".\" or \"..\" part")
        }
        return path
    }

    /// `pchar` and the slash (RFC 3986 §3.3).
    private static func isPathByte(_ byte: UInt8) -> Bool {
        byte.isASCIILetter || byte.isDecimalDigit || "-._~!$&'()*+,;=:@%/".utf8.contains(byte)
    }
}
