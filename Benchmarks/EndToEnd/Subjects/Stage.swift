internal import Glibc

/// What all subjects of a run share: the upstreams and the certificate.
final class Stage {
    private static let startTimeMax = 20 * Clock.second

    let certificate: Certificate
    /// Where a Redis listens; `nil` if none is installed.
    let redisPort: UInt16?
    private let ports: [UpstreamKind: UInt16]
    private let processes: [ChildProcess]

    /// Starts the upstreams on the load's core.
    ///
    /// - Parameter sluicePath: the binary that is `sluice mock` too.
    init(sluicePath: String) throws(Failure) {
        let directory = try Workspace.current()
        certificate = try Certificate(in: directory)
        let (standIn, standInPort) = try Self.startStandIn(directory)
        let (mock, mockPort) = try Self.startMock(sluicePath, directory)
        let redis = try Self.startRedis(directory)
        redisPort = redis?.port
        processes = [standIn, mock] + [redis?.process].compactMap { $0 }
        ports = [.standIn: standInPort, .mock: mockPort]
    }

    func port(of upstream: UpstreamKind) -> UInt16 { ports[upstream] ?? 0 }

    /// It inherits a listening socket, so it is ready at once.
    private static func startStandIn(_ directory: String) throws(Failure) -> (ChildProcess, UInt16) {
        let listener = try Socket.listen(port: 0)
        defer { close(listener) }
        let process = try ChildProcess(
            [try Program.own(), "upstream", "--fd", "3"], core: Processor.loadCore,
            logPath: "\(directory)/stand-in.log", inherited: listener)
        return (process, Socket.port(of: listener))
    }

    /// It keeps no requests: those of a row with long bodies would be much.
    private static func startMock(_ path: String, _ directory: String) throws(Failure) -> (ChildProcess, UInt16) {
        let port = try Socket.freePorts(1)[0]
        let process = try ChildProcess(
            [path, "mock", "--listen", "127.0.0.1:\(port)", "--requests", "0", "--quiet"], core: Processor.loadCore,
            logPath: "\(directory)/mock.log")
        try ReadyProbe.wait(for: process, port: port, path: "/health", until: Clock.now() + startTimeMax)
        return (process, port)
    }

    /// Without persistence: nothing of it is measured.
    private static func startRedis(_ directory: String) throws(Failure) -> (process: ChildProcess, port: UInt16)? {
        guard let path = Program.path(of: "redis-server") else { return nil }
        let port = try Socket.freePorts(1)[0]
        let process = try ChildProcess(
            [
                path, "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir",
                directory,
            ], core: Processor.loadCore, logPath: "\(directory)/redis.log")
        return (process, port)
    }

    /// How many requests for a model the mock has seen, whatever became of them.
    func mockAttempts(_ model: String) throws(Failure) -> Int {
        let port = port(of: .mock)
        let head = "GET /mock/counts HTTP/1.1\r\nhost: 127.0.0.1:\(port)\r\nconnection: close\r\n\r\n"
        guard let text = Probe.text(of: Array(head.utf8), port: port) else { throw Failure("the mock does not count") }
        // {"models":{"NAME":{"requests":1,"attempts":2,…}}}
        let key = "\"attempts\":"
        guard let counts = text.firstRange(of: "\"\(model)\":{").map({ text[$0.upperBound...] }),
            let attempts = counts.firstRange(of: key).map({ counts[$0.upperBound...] })
        else { return 0 }
        return Int(attempts.prefix { $0.isNumber }) ?? 0
    }

    /// Fails with what an upstream said, if it has ended.
    func check() throws(Failure) {
        for process in processes where !process.isRunning {
            throw Failure("an upstream has ended:\n\(Files.tail(of: process.logPath, lineCount: 12))")
        }
    }
}
