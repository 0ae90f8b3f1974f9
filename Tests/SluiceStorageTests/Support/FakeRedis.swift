import Glibc
import NetTestSupport
import SluiceNet
import Synchronization

/// What speaks the protocol of Redis, and says what a test wants it to say.
final class FakeRedis: Sendable {
    let port: UInt16
    private let listening: Int32
    private let commands = Mutex<[[String]]>([])

    /// All that it was asked, in order.
    var asked: [[String]] { commands.withLock { $0 } }

    /// - Parameter answer: the reply to a command as it is sent; `nil`: a server that knows nothing of it.
    init(_ answer: @escaping @Sendable ([String]) -> String?) throws {
        listening = try Socket.listen(on: .loopback, isShared: false)
        port = Socket.localAddress(listening)?.port ?? 0
        _ = fcntl(listening, F_SETFL, fcntl(listening, F_GETFL) & ~O_NONBLOCK)
        let fd = listening
        Thread.start("fake redis") { [self] in
            while true {
                let connection = accept(fd, nil, nil)
                if connection < 0 {
                    close(fd)
                    return
                }
                Thread.start("fake redis") { self.serve(connection, answer) }
            }
        }
    }

    /// The thread that listens closes the socket: its number may be another's as soon as it is closed.
    func stop() { shutdown(listening, Int32(SHUT_RDWR)) }

    private func serve(_ fd: Int32, _ answer: ([String]) -> String?) {
        defer { close(fd) }
        var bytes: [UInt8] = []
        var space = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe recv(fd, &space, space.count, 0)
            if count <= 0 { return }
            bytes += space[..<count]
            while let (words, length) = Self.command(bytes) {
                bytes.removeFirst(length)
                commands.withLock { $0.append(words) }
                let reply = Array((answer(words) ?? Self.usual(words)).utf8)
                _ = unsafe send(fd, reply, reply.count, Int32(MSG_NOSIGNAL))
            }
        }
    }

    private static func usual(_ words: [String]) -> String {
        switch words.first?.uppercased() {
        case "PING": "+PONG\r\n"
        case "CLIENT", "AUTH", "SELECT": "+OK\r\n"
        case "EVAL": ":1\r\n"
        case "ROLE": "*1\r\n$6\r\nmaster\r\n"
        case "SUBSCRIBE": "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"
        default: "$-1\r\n"
        }
    }

    /// The first command, if all of it has come, and how long it is.
    private static func command(_ bytes: [UInt8]) -> (words: [String], length: Int)? {
        var at = 0
        func line() -> Int? {
            guard let end = bytes[at...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            defer { at = end + 1 }
            return Int(String(decoding: bytes[(at + 1)..<(end - 1)], as: UTF8.self))
        }
        guard let count = line() else { return nil }
        var words: [String] = []
        for _ in 0..<count {
            guard let length = line(), bytes.count >= at + length + 2 else { return nil }
            words.append(String(decoding: bytes[at..<at + length], as: UTF8.self))
            at += length + 2
        }
        return (words, at)
    }
}
