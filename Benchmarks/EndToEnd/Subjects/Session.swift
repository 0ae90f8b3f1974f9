/// One start of one subject, from exec to exit; or no proxy at all, for the upstream called directly.
final class Session {
    private static let startTimeMax = 20 * Clock.second

    let stage: Stage
    let subject: (any Subject)?
    let upstream: UpstreamKind
    let plainPort: UInt16
    let http2Port: UInt16
    let tlsPort: UInt16
    /// Nanoseconds from just before exec to the first 200 of the readiness check.
    private(set) var startTime = 0
    private let process: ChildProcess?

    /// The upstream itself, without a proxy.
    init(direct stage: Stage, _ upstream: UpstreamKind) {
        self.stage = stage
        self.upstream = upstream
        subject = nil
        process = nil
        (plainPort, http2Port, tlsPort) = (stage.port(of: upstream), 0, 0)
    }

    /// Starts a proxy on fresh ports, alone on its core, and waits until it is ready.
    ///
    /// - Parameter policies: what is configured beside providers, where the subject has such things.
    init(
        _ subject: any Subject, on stage: Stage, _ upstream: UpstreamKind, _ policies: Policies = .none
    ) throws(Failure) {
        self.stage = stage
        self.upstream = upstream
        self.subject = subject
        let ports = try Socket.freePorts(5)
        let site = Site(
            directory: try Workspace.makeDirectory(named: subject.name), plainPort: ports[0], http2Port: ports[1],
            tlsPort: ports[2], adminPort: ports[3], upstreamPort: stage.port(of: upstream), redisPort: stage.redisPort,
            deadPort: ports[4], policies: policies, certificate: stage.certificate)
        (plainPort, http2Port, tlsPort) = (site.plainPort, subject.http2Port(site), site.tlsPort)
        let command = try subject.prepare(site)
        let start = Clock.now()
        let process = try ChildProcess(command, core: Processor.measuredCore, logPath: "\(site.directory)/output.log")
        self.process = process
        let (port, path) = subject.readiness(site)
        try ReadyProbe.wait(for: process, port: port, path: path, until: start + Self.startTimeMax)
        startTime = Clock.now() - start
    }

    /// A chat request, and what a whole answer to it is: that, the upstream itself is asked once.
    func request(
        _ behaviour: Behaviour, bodyByteCount: Int = 300, variation: ChatRequest.Variation = .none
    ) throws(Failure) -> ChatRequest {
        var request = ChatRequest(behaviour, bodyByteCount: bodyByteCount, variation: variation)
        if behaviour.isStream { return request }
        let port = stage.port(of: upstream)
        guard let reply = Probe.reply(to: request.http1(port: port), port: port), reply.status == 200 else {
            throw Failure("the upstream does not answer \(behaviour.modelName)")
        }
        request.replyByteCount = reply.bodyByteCount
        return request
    }

    /// The proxy's processes; `nil` without a proxy.
    var tree: ProcessTree? { process.map { ProcessTree(root: $0.id) } }

    /// What the proxy said last, if it has ended by itself.
    var lastWords: String? {
        guard let process, !process.isRunning else { return nil }
        return "it has ended:\n\(Files.tail(of: process.logPath, lineCount: 3))"
    }

    func end() { process?.terminate() }
}
