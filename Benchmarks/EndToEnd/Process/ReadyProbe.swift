/// Asks a starting process over and over whether it is ready, often enough for its start to be timed.
enum ReadyProbe {
    private static let interval = 200_000

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
        let request = Array("GET \(path) HTTP/1.1\r\nhost: 127.0.0.1:\(port)\r\nconnection: close\r\n\r\n".utf8)
        return Probe.reply(to: request, port: port)?.status == 200
    }

    private static func log(of process: ChildProcess) -> String { Files.tail(of: process.logPath, lineCount: 3) }
}
