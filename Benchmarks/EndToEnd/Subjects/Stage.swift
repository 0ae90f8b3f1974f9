internal import Glibc

/// What all subjects of a run share: the upstreams and the certificate.
final class Stage {
    private static let startTimeMax = 20 * Clock.second

    let certificate: Certificate
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
        processes = [standIn, mock]
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

    /// Fails with what an upstream said, if it has ended.
    func check() throws(Failure) {
        for process in processes where !process.isRunning {
            throw Failure("an upstream has ended:\n\(Files.tail(of: process.logPath, lineCount: 12))")
        }
    }
}
