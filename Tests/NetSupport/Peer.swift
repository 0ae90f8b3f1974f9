internal import Glibc
package import SluiceNet

/// The far end of a connection: a plain socket that a test writes to and reads from as it likes.
package final class Peer {
    package struct Failure: Error { package let call: String }

    package private(set) var fd: Int32
    /// Everything received so far and not taken.
    package private(set) var received: [UInt8] = []
    /// The other side ended in an orderly way.
    package private(set) var hasEnded = false
    /// The other side reset the connection.
    package private(set) var wasReset = false

    package init(fd: Int32) {
        self.fd = fd
        _ = fcntl(fd, F_SETFL, O_NONBLOCK)
    }

    deinit { close() }

    /// Two connected unix sockets.
    package static func pair() throws -> (fd: Int32, peer: Peer) {
        var fds: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, kind, 0, &fds) == 0 else { throw Failure(call: "socketpair") }
        return (fds[0], Peer(fd: fds[1]))
    }

    /// Two connected TCP sockets on the loopback interface.
    package static func tcpPair() throws -> (fd: Int32, peer: Peer) {
        let listening = try Socket.listen(on: .loopback, isShared: false)
        defer { Socket.close(listening) }
        guard let address = Socket.localAddress(listening) else { throw Failure(call: "getsockname") }
        let peer = Peer(fd: try Socket.connect(to: address).fd)
        while true {
            switch Socket.accept(listening) {
            case .connection(let fd, _): return (fd, peer)
            case .wouldBlock: continue
            case .exhausted, .failed: throw Failure(call: "accept")
            }
        }
    }

    /// Connects to a listening socket of this machine.
    package static func connected(to address: SocketAddress) throws -> Peer {
        Peer(fd: try Socket.connect(to: address).fd)
    }

    /// Whether a blocking connect succeeds: the system answers it at once on the loopback interface.
    package static func isAccepted(at address: SocketAddress) throws -> Bool {
        let fd: Int32
        do { fd = try Socket.connect(to: address).fd } catch { return false }
        defer { Socket.close(fd) }
        var state = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
        guard unsafe Glibc.poll(&state, 1, 60_000) == 1 else { throw Failure(call: "poll") }
        return Socket.pendingError(fd) == nil
    }

    // MARK: Sending

    /// Sends as much as the socket takes at once.
    ///
    /// - Returns: how many bytes; negative if the connection is broken.
    @discardableResult package func sendSome(_ bytes: ArraySlice<UInt8>) -> Int {
        let count = unsafe bytes.withUnsafeBytes {
            unsafe Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        return count < 0 && errno == EAGAIN ? 0 : count
    }

    /// Sends everything, in the time the other side takes; stops when the connection breaks.
    package func send(_ bytes: [UInt8]) async {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = sendSome(rest)
            if count < 0 { return }
            rest = rest.dropFirst(count)
            if count == 0 { try? await Task.sleep(for: .milliseconds(1)) }
        }
    }

    package func send(_ text: String) async { await send(Array(text.utf8)) }

    // MARK: Receiving

    /// Takes in what has arrived, up to about `limit` bytes.
    package func poll(atMost limit: Int = .max) {
        if fd < 0 || hasEnded || wasReset { return }
        var space = [UInt8](repeating: 0, count: 65_536)
        var left = limit
        while left > 0 {
            let wanted = min(left, space.count)
            let count = unsafe space.withUnsafeMutableBytes { unsafe recv(fd, $0.baseAddress, wanted, 0) }
            if count > 0 {
                received += space[..<count]
                left -= count
                continue
            }
            if count == 0 { hasEnded = true } else if errno != EAGAIN { wasReset = true }
            return
        }
    }

    package var text: String { String(decoding: received, as: UTF8.self) }

    /// Waits until what has been received satisfies the condition.
    @discardableResult package func receive(
        within time: Duration = .seconds(60), until condition: (Peer) -> Bool
    ) async -> Bool {
        await eventually(within: time) {
            poll()
            return condition(self)
        }
    }

    /// Waits for a piece of text.
    @discardableResult package func receive(_ text: String, within time: Duration = .seconds(60)) async -> Bool {
        await receive(within: time) { $0.text.contains(text) }
    }

    /// Waits until the other side has ended, properly or not.
    @discardableResult package func waitForEnd(within time: Duration = .seconds(60)) async -> Bool {
        await receive(within: time) { $0.hasEnded || $0.wasReset }
    }

    /// Forgets what has been received.
    package func forget() { received = [] }

    // MARK: Ending

    package func endSending() { _ = shutdown(fd, Int32(SHUT_WR)) }

    package func close() {
        if fd >= 0 { _ = Glibc.close(fd) }
        fd = -1
    }

    /// Gives the socket to somebody else.
    package func release() -> Int32 {
        defer { fd = -1 }
        return fd
    }

    package func reset() {
        Socket.resetOnClose(fd)
        close()
    }
}

extension SocketAddress {
    /// Any free port of 127.0.0.1.
    package static let loopback = SocketAddress.ipv4(UInt32(0x7F00_0001).bigEndian, port: 0)
}
