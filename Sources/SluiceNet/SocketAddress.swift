internal import CLinux
internal import Glibc
internal import SluiceCore

/// Where a socket is bound or connected.
package enum SocketAddress: Hashable, Sendable {
    /// Octets in network order.
    case ipv4(UInt32, port: UInt16)
    case ipv6(high: UInt64, low: UInt64, scope: UInt32, port: UInt16)
    /// A path; one that starts with `@` is in the abstract name space.
    case unix(String)

    /// Reads an IP address without a port; a name is not resolved.
    package init?(ip text: String, port: UInt16) {
        var four = in_addr()
        if unsafe inet_pton(AF_INET, text, &four) == 1 {
            self = .ipv4(four.s_addr, port: port)
            return
        }
        var six = in6_addr()
        guard unsafe inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        self = unsafe withUnsafeBytes(of: &six) {
            unsafe .ipv6(
                high: $0.loadUnaligned(as: UInt64.self), low: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                scope: 0,
                port: port)
        }
    }

    /// Reads `127.0.0.1:4010`, `[::1]:4010` or `unix:/run/sluice.sock`.
    package init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = text.dropFirst(5)
            guard !path.isEmpty, path.utf8.count < 108 else { return nil }
            self = .unix(String(path))
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        if host == "localhost" { host = "127.0.0.1" }
        if host == "*" { host = "0.0.0.0" }
        self.init(ip: String(host), port: port)
    }

    @unsafe init?(_ storage: UnsafePointer<sockaddr_storage>, length: socklen_t) {
        switch unsafe Int32(storage.pointee.ss_family) {
        case AF_INET:
            self = unsafe storage.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                unsafe .ipv4($0.pointee.sin_addr.s_addr, port: UInt16(bigEndian: $0.pointee.sin_port))
            }
        case AF_INET6:
            self = unsafe storage.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { six in
                var octets = unsafe six.pointee.sin6_addr
                return unsafe withUnsafeBytes(of: &octets) {
                    unsafe .ipv6(
                        high: $0.loadUnaligned(as: UInt64.self),
                        low: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                        scope: six.pointee.sin6_scope_id, port: UInt16(bigEndian: six.pointee.sin6_port))
                }
            }
        case AF_UNIX:
            let header = 2
            let size = Int(length) - header
            let bytes = unsafe UnsafeRawBufferPointer(start: storage, count: Int(length)).dropFirst(header)
            let name =
                unsafe bytes.first == 0
                ? "@" + String(decoding: bytes.dropFirst(), as: UTF8.self)
                : String(decoding: bytes.prefix(while: { $0 != 0 }), as: UTF8.self)
            self = .unix(size > 0 ? name : "")
        default: return nil
        }
    }

    package var family: Int32 {
        switch self {
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        case .unix: AF_UNIX
        }
    }

    package var isUnix: Bool { if case .unix = self { true } else { false } }

    /// Whether only this machine can reach it.
    package var isLoopback: Bool {
        switch self {
        case .ipv4(let octets, _): UInt32(bigEndian: octets) >> 24 == 127
        case .ipv6(let high, let low, _, _): high == 0 && low == UInt64(1).bigEndian
        case .unix: true
        }
    }

    /// `::`, which takes connections of both families.
    var isAnyAddress: Bool { if case .ipv6(0, 0, _, _) = self { true } else { false } }

    package var port: UInt16 {
        switch self {
        case .ipv4(_, let port), .ipv6(_, _, _, let port): port
        case .unix: 0
        }
    }

    /// The same host with another port.
    package func with(port: UInt16) -> SocketAddress {
        switch self {
        case .ipv4(let octets, _): .ipv4(octets, port: port)
        case .ipv6(let high, let low, let scope, _): .ipv6(high: high, low: low, scope: scope, port: port)
        case .unix: self
        }
    }

    @unsafe func withSystemAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        switch self {
        case .ipv4(let octets, let port):
            var four = sockaddr_in()
            four.sin_family = sa_family_t(AF_INET)
            four.sin_port = port.bigEndian
            four.sin_addr.s_addr = octets
            return unsafe withUnsafePointer(to: &four) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        case .ipv6(let high, let low, let scope, let port):
            var six = sockaddr_in6()
            six.sin6_family = sa_family_t(AF_INET6)
            six.sin6_port = port.bigEndian
            six.sin6_scope_id = scope
            unsafe withUnsafeMutableBytes(of: &six.sin6_addr) {
                unsafe $0.storeBytes(of: high, as: UInt64.self)
                unsafe $0.storeBytes(of: low, toByteOffset: 8, as: UInt64.self)
            }
            return unsafe withUnsafePointer(to: &six) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        case .unix(let path):
            var local = sockaddr_un()
            local.sun_family = sa_family_t(AF_UNIX)
            let name = Array(path.utf8.prefix(107))
            unsafe withUnsafeMutableBytes(of: &local.sun_path) { space in
                for index in name.indices { unsafe space[index] = name[index] }
                if name.first == UInt8(ascii: "@") { unsafe space[0] = 0 }
            }
            let isAbstract = name.first == UInt8(ascii: "@")
            let length = socklen_t(2 + name.count + (isAbstract ? 0 : 1))
            return unsafe withUnsafePointer(to: &local) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
            }
        }
    }
}

extension SocketAddress: CustomStringConvertible {
    /// The host alone: `127.0.0.1`, `::1`, `unix`.
    package var host: String {
        switch self {
        case .ipv4(var octets, _): Self.text(AF_INET, &octets)
        case .ipv6(let high, let low, _, _):
            {
                var both = (high, low)
                return Self.text(AF_INET6, &both)
            }()
        case .unix: "unix"
        }
    }

    package var description: String {
        switch self {
        case .ipv4(_, let port): "\(host):\(port)"
        case .ipv6(_, _, _, let port): "[\(host)]:\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    private static func text<Octets: BitwiseCopyable>(_ family: Int32, _ octets: inout Octets) -> String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { space in
            guard unsafe inet_ntop(family, &octets, space.baseAddress, 64) != nil, let start = space.baseAddress else {
                return "?"
            }
            return unsafe String(cString: start)
        }
    }
}
