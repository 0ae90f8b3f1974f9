internal import Glibc

/// Asks a starting process over and over whether it is ready, often enough for its start to be timed.
enum ReadyProbe {
    private static let interval = 200_000
    private static let replyTimeMax = 1_000

    /// Waits for a reply with status 200.
    ///
    /// - Throws: `Failure` when the process ends, or is not ready by `deadline`; with what it said.
    static func wait(for process: ChildProcess, port: UInt16, path: String, until deadline: Int) throws(Failure) {
        while !isReady(port: port, path: path) {
            guard process.isRunning else { throw Failure("ended at the start:\n\(log(of: process))") }
            guard Clock.now() < deadline else { throw Failure("was not ready in time:\n\(log(of: process))") }
            Clock.sleep(interval)
        }
    }

    private static func isReady(port: UInt16, path: String) -> Bool {
        guard let file = try? Socket.connect(port: port) else { return false }
        defer { Socket.reset(file) }
        let request = Array("GET \(path) HTTP/1.1\r\nhost: 127.0.0.1:\(port)\r\nconnection: close\r\n\r\n".utf8)
        guard isReady(file, for: POLLOUT), case .bytes = Socket.write(file, request, from: 0) else { return false }
        var reader = MessageReader(.response)
        let buffer = ReadBuffer(capacity: 4_096)
        while reader.status == 0 {
            guard isReady(file, for: POLLIN), case .bytes(let count) = Socket.read(file, into: buffer),
                (try? reader.consume(buffer.prefix(count))) != nil
            else { return false }
        }
        return reader.status == 200
    }

    private static func isReady(_ file: Int32, for events: Int32) -> Bool {
        var entry = pollfd(fd: file, events: Int16(events), revents: 0)
        return unsafe poll(&entry, 1, Int32(replyTimeMax)) == 1
    }

    private static func log(of process: ChildProcess) -> String { Files.tail(of: process.logPath, lineCount: 3) }
}
