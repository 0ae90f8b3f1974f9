internal import Glibc

/// What all subjects of a run share: the upstream and the certificate.
final class Stage {
    let upstreamPort: UInt16
    let certificate: Certificate
    private let upstream: ChildProcess

    /// Starts the stand-in upstream on the load's core. It inherits a listening socket, so it is ready at once.
    init() throws(Failure) {
        let directory = try Workspace.current()
        certificate = try Certificate(in: directory)
        let listener = try Socket.listen(port: 0)
        defer { close(listener) }
        upstreamPort = Socket.port(of: listener)
        upstream = try ChildProcess(
            [try Program.own(), "upstream", "--fd", "3"], core: Processor.loadCore,
            logPath: "\(directory)/upstream.log", inherited: listener)
    }

    /// Fails with what the upstream said, if it has ended.
    func check() throws(Failure) {
        if upstream.isRunning { return }
        throw Failure("the upstream has ended:\n\(Files.tail(of: upstream.logPath, lineCount: 12))")
    }
}
