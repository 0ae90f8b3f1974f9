internal import Glibc
internal import SluiceCore
internal import SluiceNet

/// Lets a second Sluice take the listening sockets over from this one: no connection is refused or lost in between, since the
/// sockets, and the connections that wait in them, never close.
final class Handover: EventHandler {
    /// The running Sluice that this process replaces.
    struct Predecessor {
        let sockets: [SocketAddress: [Int32]]
        private let connection: Int32

        /// - Returns: `nil` if nobody answers at the path.
        init?(path: String) throws {
            guard let attempt = try? Socket.connect(to: .unix(path)), attempt.isConnected else { return nil }
            connection = attempt.fd
            // The predecessor answers at once; it must not be able to hold up a start for long.
            _ = fcntl(connection, F_SETFL, 0)
            var patience = timeval(tv_sec: 5, tv_usec: 0)
            _ = unsafe setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            let (fds, text) = try HandoverSocket.receive(over: connection)
            var sockets: [SocketAddress: [Int32]] = [:]
            for (fd, line) in zip(fds, text.split(separator: "\n")) {
                if let address = SocketAddress(String(line)) { sockets[address, default: []].append(fd) }
            }
            self.sockets = sockets
        }

        /// Tells it that its work is taken over.
        func relieve() {
            _ = unsafe send(connection, "ready", 5, Int32(MSG_NOSIGNAL))
            Socket.close(connection)
        }
    }

    private let loop: EventLoop
    private let sockets: ListeningSockets
    private let relieved: () -> Void
    private let path: String
    private var listener: ListeningSocket?
    private var successor: (fd: Int32, registration: Registration)?

    /// - Parameter relieved: called when a successor serves.
    init(_ path: String, on loop: EventLoop, sockets: ListeningSockets, relieved: @escaping () -> Void) throws {
        self.loop = loop
        self.sockets = sockets
        self.relieved = relieved
        self.path = path
        _ = unsafe unlink(path)
        let mask = umask(0o077)
        defer { umask(mask) }
        let fd = try Socket.listen(on: .unix(path), isShared: false)
        listener = try ListeningSocket(loop: loop, fd: fd) { [unowned self] connection, _ in accepted(connection) }
    }

    /// Removes the socket's file, unless a successor has one of its own there.
    func removeFile() {
        if listener != nil { _ = unsafe unlink(path) }
    }

    private func accepted(_ connection: Int32) {
        guard successor == nil else { return Socket.close(connection) }
        let given = sockets.forSuccessor()
        let text = given.map { "\($0.address)\n" }.joined()
        do {
            try HandoverSocket.send(given.map(\.fd), text: text, over: connection)
            successor = (connection, try loop.register(connection, self))
        } catch {
            Socket.close(connection)
        }
    }

    func ready(_ readiness: Readiness) {
        guard let (fd, registration) = successor, readiness.isReadable else { return }
        var word = [UInt8](repeating: 0, count: 16)
        let count = unsafe word.withUnsafeMutableBytes { unsafe recv(fd, $0.baseAddress, $0.count, 0) }
        if count < 0 { return }
        loop.forget(registration)
        Socket.close(fd)
        successor = nil
        // A successor that ends without a word has failed: this process goes on.
        if count > 0 {
            listener?.close(keepsOpen: false)
            listener = nil
            relieved()
        }
    }
}
