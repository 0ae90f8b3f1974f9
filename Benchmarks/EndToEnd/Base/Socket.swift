internal import CLinux
internal import Glibc

/// TCP over loopback: non-blocking, TCP_NODELAY, numeric ports.
enum Socket {
    enum Outcome: Equatable {
        case bytes(Int)
        case wouldBlock
        /// The peer closed or reset the connection, or the connect was refused.
        case closed
    }

    /// Starts to connect. Until that is done a write would block; a refusal shows as `closed` on the first read.
    static func connect(port: UInt16) throws(Failure) -> Int32 {
        let file = try make()
        setOption(file, Int32(IPPROTO_TCP), TCP_NODELAY)
        var address = loopback(port)
        let result = unsafe withUnsafePointer(to: &address) {
            unsafe Glibc.connect(
                file, UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self),
                socklen_t(MemoryLayout<sockaddr_in>.size))
        }
        guard result == 0 || errno == EINPROGRESS else {
            let reason = SystemError.last
            close(file)
            throw Failure("connect to port \(port): \(reason)")
        }
        return file
    }

    /// Listens on a port, or on any free one for port 0, with the longest backlog the system allows.
    static func listen(port: UInt16) throws(Failure) -> Int32 {
        let file = try make()
        setOption(file, SOL_SOCKET, SO_REUSEADDR)
        var address = loopback(port)
        let result = unsafe withUnsafePointer(to: &address) {
            unsafe bind(
                file, UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self),
                socklen_t(MemoryLayout<sockaddr_in>.size))
        }
        guard result == 0, Glibc.listen(file, 65_535) == 0 else {
            let reason = SystemError.last
            close(file)
            throw Failure("listen on port \(port): \(reason)")
        }
        return file
    }

    /// The port a socket is bound to.
    static func port(of file: Int32) -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafeMutablePointer(to: &address) {
            unsafe getsockname(file, UnsafeMutableRawPointer($0).assumingMemoryBound(to: sockaddr.self), &length)
        }
        return result == 0 ? UInt16(bigEndian: address.sin_port) : 0
    }

    /// Different ports that nobody listened on a moment ago.
    static func freePorts(_ count: Int) throws(Failure) -> [UInt16] {
        var files: [Int32] = []
        defer { for file in files { close(file) } }
        for _ in 0..<count { files.append(try listen(port: 0)) }
        return files.map { port(of: $0) }
    }

    /// The next connection of a listener; `nil` when there is none, or no descriptor left for it.
    static func accept(from listener: Int32) -> Int32? {
        let file = accept4(listener, nil, nil, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
        guard file >= 0 else { return nil }
        setOption(file, Int32(IPPROTO_TCP), TCP_NODELAY)
        return file
    }

    static func read(_ file: Int32, into buffer: ReadBuffer) -> Outcome {
        let count = unsafe recv(file, buffer.address, buffer.capacity, 0)
        if count > 0 { return .bytes(count) }
        return count < 0 && isTemporary(errno) ? .wouldBlock : .closed
    }

    static func write(_ file: Int32, _ bytes: [UInt8], from offset: Int) -> Outcome {
        let count = unsafe bytes.withUnsafeBytes {
            unsafe send(file, $0.baseAddress?.advanced(by: offset), $0.count - offset, Int32(MSG_NOSIGNAL))
        }
        if count >= 0 { return .bytes(count) }
        return isTemporary(errno) ? .wouldBlock : .closed
    }

    /// Closes with a reset, so that thousands of connections do not stay behind in TIME_WAIT.
    static func reset(_ file: Int32) {
        var value = linger(l_onoff: 1, l_linger: 0)
        unsafe _ = setsockopt(file, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
        close(file)
    }

    private static func make() throws(Failure) -> Int32 {
        let kind = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        let file = socket(AF_INET, Int32(kind), 0)
        guard file >= 0 else { throw Failure("socket: \(SystemError.last)") }
        return file
    }

    private static func setOption(_ file: Int32, _ level: Int32, _ name: Int32) {
        var on: Int32 = 1
        unsafe _ = setsockopt(file, level, name, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func isTemporary(_ error: Int32) -> Bool {
        error == EAGAIN || error == EINTR || error == ENOTCONN || error == EINPROGRESS
    }
}
