import CSystem
import Foundation
import Glibc

/// One end of a connection: blocking calls with deadlines, and nothing of the proxy's own code.
final class Wire: @unchecked Sendable {
    enum Failure: Error, Equatable {
        /// The peer sent a reset.
        case reset
        /// The peer ended the connection where more was due.
        case ended
        case system(Int32)
    }

    let fd: Int32
    /// Received and not yet taken.
    private(set) var buffer: [UInt8] = []
    private var isClosed = false

    init(fd: Int32) {
        self.fd = fd
        var one: Int32 = 1
        _ = unsafe setsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    convenience init(port: UInt16, receiveBuffer byteCount: Int32? = nil) throws {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if var byteCount {
            _ = unsafe setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &byteCount, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = Self.loopback(port)
        let result = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result != 0 {
            let code = errno
            _ = Glibc.close(fd)
            throw Failure.system(code)
        }
        self.init(fd: fd)
    }

    convenience init(unixPath path: String) throws {
        let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let result = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if result != 0 {
            let code = errno
            _ = Glibc.close(fd)
            throw Failure.system(code)
        }
        self.init(fd: fd)
    }

    deinit { close() }

    static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    // MARK: Sending

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8], by deadline: ContinuousClock.Instant = Patience.deadline) throws {
        var rest = bytes[...]
        while !rest.isEmpty { rest = rest.dropFirst(try sendSome(rest, by: deadline)) }
    }

    /// Sends what the peer takes now; waits until it takes anything.
    func sendSome(_ bytes: ArraySlice<UInt8>, by deadline: ContinuousClock.Instant) throws -> Int {
        while true {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count >= 0 { return count }
            if errno == EAGAIN { try wait(for: Int16(POLLOUT), "room to send", by: deadline) } else { throw failure() }
        }
    }

    func endSending() { _ = shutdown(fd, Int32(SHUT_WR)) }

    func close() {
        if isClosed { return }
        isClosed = true
        _ = Glibc.close(fd)
    }

    /// Closes with a reset instead of an orderly end.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    // MARK: Receiving

    /// Waits for bytes and adds them to `buffer`.
    ///
    /// - Returns: false at the orderly end of the connection.
    func receive(by deadline: ContinuousClock.Instant) throws -> Bool {
        var space = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe space.withUnsafeMutableBytes {
                unsafe recv(fd, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
            }
            if count > 0 {
                buffer += space.prefix(count)
                return true
            }
            if count == 0 { return false }
            if errno == EAGAIN { try wait(for: Int16(POLLIN), "bytes", by: deadline) } else { throw failure() }
        }
    }

    /// What comes up to and including `delimiter`, without it; `nil` if the connection ended before its first byte.
    func take(upTo delimiter: String, by deadline: ContinuousClock.Instant = Patience.deadline) throws -> [UInt8]? {
        let pattern = Array(delimiter.utf8)
        var from = 0
        while true {
            if let range = buffer[from...].firstRange(of: pattern) {
                defer { buffer.removeFirst(range.upperBound) }
                return Array(buffer[..<range.lowerBound])
            }
            from = max(0, buffer.count - pattern.count)
            if try !receive(by: deadline) {
                if buffer.isEmpty { return nil }
                throw Failure.ended
            }
        }
    }

    func take(_ count: Int, by deadline: ContinuousClock.Instant = Patience.deadline) throws -> [UInt8] {
        while buffer.count < count { if try !receive(by: deadline) { throw Failure.ended } }
        defer { buffer.removeFirst(count) }
        return Array(buffer.prefix(count))
    }

    /// Everything up to the orderly end.
    func takeRest(by deadline: ContinuousClock.Instant = Patience.deadline) throws -> [UInt8] {
        while try receive(by: deadline) {}
        defer { buffer = [] }
        return buffer
    }

    /// Whatever has come, waiting if there is nothing yet; empty at the end.
    func takeSome(by deadline: ContinuousClock.Instant = Patience.deadline) throws -> [UInt8] {
        if buffer.isEmpty { _ = try receive(by: deadline) }
        defer { buffer = [] }
        return buffer
    }

    /// Waits until the peer has closed the connection, however it does it, and throws away what comes before.
    func awaitEnd(by deadline: ContinuousClock.Instant = Patience.deadline) throws {
        do {
            while try receive(by: deadline) { buffer = [] }
        } catch Failure.reset {
            return
        }
    }

    private func wait(for events: Int16, _ what: String, by deadline: ContinuousClock.Instant) throws {
        let left = deadline - .now
        let milliseconds = Int32(clamping: Int64(left / .milliseconds(1)) + 1)
        if left <= .zero { throw TimedOut(what) }
        var waiting = pollfd(fd: fd, events: events, revents: 0)
        if unsafe poll(&waiting, 1, milliseconds) == 0 { throw TimedOut(what) }
    }

    private func failure() -> Failure {
        errno == ECONNRESET || errno == EPIPE ? .reset : .system(errno)
    }
}
