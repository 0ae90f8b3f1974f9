internal import CLinux
internal import Glibc
package import SluiceCore

/// The system calls on a socket, each with its result turned into a case or an error on the spot.
package enum Socket {
    package enum ReadResult { case bytes(Int), wouldBlock, end, failed(SystemError) }
    package enum WriteResult { case bytes(Int), wouldBlock, failed(SystemError) }

    /// Reads what has arrived into `space`.
    @unsafe package static func read(_ fd: Int32, _ space: UnsafeMutableRawBufferPointer) -> ReadResult {
        while true {
            let count = unsafe recv(fd, space.baseAddress, space.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            let code = sluice_errno()
            if code == EINTR { continue }
            return code == EAGAIN ? .wouldBlock : .failed(SystemError("recv", code: code))
        }
    }

    /// Whether bytes wait to be read.
    package static func hasUnread(_ fd: Int32) -> Bool {
        var byte: UInt8 = 0
        return unsafe recv(fd, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) > 0
    }

    /// The most runs of memory given to one system call.
    private static let runsAtMost = 64

    /// Sends from the front of `queue`, which is not changed. `MSG_NOSIGNAL`: a closed peer is an error, not a signal.
    package static func write(_ fd: Int32, from queue: ByteQueue) -> WriteResult {
        while true {
            let count: Int
            if queue.runCount == 1 {
                let run = unsafe queue.run(0)
                count = unsafe send(fd, run.baseAddress, run.count, Int32(MSG_NOSIGNAL))
            } else {
                count = gather(fd, from: queue)
            }
            if count >= 0 { return .bytes(count) }
            let code = sluice_errno()
            if code == EINTR { continue }
            return code == EAGAIN ? .wouldBlock : .failed(SystemError("send", code: code))
        }
    }

    private static func gather(_ fd: Int32, from queue: ByteQueue) -> Int {
        let runs = min(queue.runCount, runsAtMost)
        return unsafe withUnsafeTemporaryAllocation(of: iovec.self, capacity: runs) { vectors in
            for index in 0..<runs {
                let run = unsafe queue.run(index)
                unsafe vectors.initializeElement(
                    at: index,
                    to: iovec(iov_base: UnsafeMutableRawPointer(mutating: run.baseAddress), iov_len: run.count))
            }
            var message = unsafe msghdr()
            unsafe message.msg_iov = vectors.baseAddress
            unsafe message.msg_iovlen = runs
            return unsafe sendmsg(fd, &message, Int32(MSG_NOSIGNAL))
        }
    }

    /// How long sent bytes may stay unacknowledged on a connection that we opened.
    private static let unacknowledgedMillisecondsMax: Int32 = 30_000

    /// A non-blocking socket that is on its way to `address`.
    ///
    /// - Returns: the descriptor, and whether the connection stands already.
    package static func connect(to address: SocketAddress) throws(SystemError) -> (fd: Int32, isConnected: Bool) {
        let fd = socket(address.family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if fd < 0 { throw SystemError("socket") }
        if !address.isUnix {
            set(fd, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            set(fd, SOL_SOCKET, SO_KEEPALIVE, 1)
            // A path that is gone shows by bytes that nobody acknowledges; the system itself would try for a quarter of an hour.
            set(fd, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, unacknowledgedMillisecondsMax)
        }
        let result = unsafe address.withSystemAddress { unsafe Glibc.connect(fd, $0, $1) }
        if result == 0 { return (fd, true) }
        let code = sluice_errno()
        if code == EINPROGRESS { return (fd, false) }
        _ = Glibc.close(fd)
        throw SystemError("connect", code: code)
    }

    /// The error that a connection attempt ended with, or `nil` if it stands.
    package static func pendingError(_ fd: Int32) -> SystemError? {
        let code = option(fd, SOL_SOCKET, SO_ERROR)
        return code == 0 ? nil : SystemError("connect", code: code)
    }

    /// A bound, listening, non-blocking socket with the system's largest backlog.
    ///
    /// - Parameter isShared: every worker has a socket of its own on the same address (SO_REUSEPORT).
    package static func listen(on address: SocketAddress, isShared: Bool) throws(SystemError) -> Int32 {
        let fd = socket(address.family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if fd < 0 {
            // Every address, of a kernel that was started without IPv6: those of IPv4, then.
            let hasNone = sluice_errno() == EAFNOSUPPORT && address.family == AF_INET6 && address.isAnyAddress
            guard hasNone, let others = SocketAddress("0.0.0.0:\(address.port)") else { throw SystemError("socket") }
            return try listen(on: others, isShared: isShared)
        }
        if case .unix(let path) = address {
            if !path.hasPrefix("@"), !isAnswering(address) { _ = unsafe unlink(path) }
        } else {
            set(fd, SOL_SOCKET, SO_REUSEADDR, 1)
            if isShared { set(fd, SOL_SOCKET, SO_REUSEPORT, 1) }
            // Accepted connections inherit these, which saves two system calls each.
            set(fd, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            set(fd, SOL_SOCKET, SO_KEEPALIVE, 1)
            if address.family == AF_INET6 { set(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, address.isAnyAddress ? 0 : 1) }
        }
        let bound = unsafe address.withSystemAddress { unsafe bind(fd, $0, $1) }
        if bound != 0 { throw failure("bind", closing: fd) }
        if Glibc.listen(fd, 65_535) != 0 { throw failure("listen", closing: fd) }
        return fd
    }

    /// Whether somebody accepts connections at a unix socket now.
    package static func isAnswering(_ address: SocketAddress) -> Bool {
        guard let attempt = try? connect(to: address) else { return false }
        defer { _ = Glibc.close(attempt.fd) }
        return attempt.isConnected
    }

    /// Whether a socket of any process holds the address already.
    package static func isTaken(_ address: SocketAddress) -> Bool {
        if address.isUnix { return isAnswering(address) }
        let fd = socket(address.family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if fd < 0 { return false }
        defer { _ = Glibc.close(fd) }
        set(fd, SOL_SOCKET, SO_REUSEADDR, 1)
        let bound = unsafe address.withSystemAddress { unsafe bind(fd, $0, $1) }
        return bound != 0 && sluice_errno() == EADDRINUSE
    }

    package enum AcceptResult { case connection(Int32, SocketAddress), wouldBlock, exhausted, failed(SystemError) }

    /// Takes one connection from a listening socket.
    package static func accept(_ fd: Int32) -> AcceptResult {
        var storage = sockaddr_storage()
        while true {
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let accepted = unsafe withUnsafeMutablePointer(to: &storage) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe accept4(fd, $0, &length, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
                }
            }
            if accepted >= 0 {
                let address = unsafe SocketAddress(&storage, length: length) ?? .unix("")
                return .connection(accepted, address)
            }
            switch sluice_errno() {
            case EINTR, ECONNABORTED, EPROTO: continue
            case EAGAIN: return .wouldBlock
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted
            case let code: return .failed(SystemError("accept", code: code))
            }
        }
    }

    /// The address a socket is bound to: tells the port that was chosen for port 0.
    package static func localAddress(_ fd: Int32) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = unsafe withUnsafeMutablePointer(to: &storage) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(fd, $0, &length) }
        }
        return result == 0 ? unsafe SocketAddress(&storage, length: length) : nil
    }

    /// How many bytes the peer's system has acknowledged; `nil` where that is not known (unix sockets).
    ///
    /// What was never acknowledged was never read: a request of which no byte was acknowledged can be sent again safely.
    package static func acknowledgedByteCount(_ fd: Int32) -> UInt64? {
        // struct tcp_info of linux/tcp.h: eight octets, 24 words, two rates, then tcpi_bytes_acked.
        let offset = 120
        return unsafe withUnsafeTemporaryAllocation(byteCount: 256, alignment: 8) { space -> UInt64? in
            var length = socklen_t(space.count)
            guard unsafe getsockopt(fd, Int32(IPPROTO_TCP), TCP_INFO, space.baseAddress, &length) == 0 else {
                return nil
            }
            return Int(length) >= offset + 8 ? unsafe space.load(fromByteOffset: offset, as: UInt64.self) : nil
        }
    }

    /// The smoothed round trip time to the peer; `nil` where that is not known (unix sockets).
    package static func roundTripTime(_ fd: Int32) -> Duration? {
        // struct tcp_info of linux/tcp.h: eight octets and 15 words, then tcpi_rtt in microseconds.
        let offset = 68
        return unsafe withUnsafeTemporaryAllocation(byteCount: 256, alignment: 8) { space -> Duration? in
            var length = socklen_t(space.count)
            guard unsafe getsockopt(fd, Int32(IPPROTO_TCP), TCP_INFO, space.baseAddress, &length) == 0 else {
                return nil
            }
            return Int(length) >= offset + 4
                ? .microseconds(unsafe space.load(fromByteOffset: offset, as: UInt32.self)) : nil
        }
    }

    package static func close(_ fd: Int32) { _ = Glibc.close(fd) }

    /// Sends a reset instead of an orderly end when the socket is closed: the peer must not take what it has for complete.
    package static func resetOnClose(_ fd: Int32) {
        var linger = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
    }

    package static func shutdownWriting(_ fd: Int32) { _ = shutdown(fd, Int32(SHUT_WR)) }

    static func set(_ fd: Int32, _ level: Int32, _ name: Int32, _ value: Int32) {
        var value = value
        _ = unsafe setsockopt(fd, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func option(_ fd: Int32, _ level: Int32, _ name: Int32) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        _ = unsafe getsockopt(fd, level, name, &value, &length)
        return value
    }

    private static func failure(_ call: StaticString, closing fd: Int32) -> SystemError {
        let error = SystemError(call)
        _ = Glibc.close(fd)
        return error
    }
}
