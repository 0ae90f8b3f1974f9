/// One start of one subject, from exec to exit; or no proxy at all, for the upstream called directly.
final class Session {
    let stage: Stage
    let subject: (any Subject)?
    let upstream: UpstreamKind
    let plainPort: UInt16
    let http2Port: UInt16
    let tlsPort: UInt16
    /// Where Sluice's metrics are.
    let adminPort: UInt16
    /// Nanoseconds from just before exec to the first 200 of the readiness check.
    private(set) var startTime = 0
    /// What a reader of the numbers should know of how they came about.
    private(set) var notes: [String] = []
    /// Points that the numbers were made of, for drawing.
    private(set) var points: [(x: Double, y: Double)] = []
    private let process: ChildProcess?

    /// The upstream itself, without a proxy.
    init(direct stage: Stage, _ upstream: UpstreamKind) {
        self.stage = stage
        self.upstream = upstream
        subject = nil
        process = nil
        (plainPort, http2Port, tlsPort, adminPort) = (stage.port(of: upstream), 0, 0, 0)
    }

    /// Starts a proxy on fresh ports, alone on its core, and waits until it is ready.
    ///
    /// - Parameters:
    ///   - policies: what is configured beside providers, where the subject has such things.
    ///   - limit: a limit on its memory, from its first page on.
    init(
        _ subject: any Subject, on stage: Stage, _ upstream: UpstreamKind, _ policies: Policies = .none,
        within limit: MemoryLimit? = nil
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
        adminPort = site.adminPort
        let command = (limit?.commandPrefix ?? []) + (try subject.prepare(site))
        let start = Clock.now()
        let process = try ChildProcess(command, core: Processor.measuredCore, logPath: "\(site.directory)/output.log")
        self.process = process
        let (port, path) = subject.readiness(site)
        try ReadyProbe.wait(for: process, port: port, path: path, until: start + subject.startTimeMax)
        startTime = Clock.now() - start
    }

    /// A chat request, and what a whole answer to it is: that, the upstream itself is asked once.
    func request(
        _ behaviour: Behaviour, bodyByteCount: Int = 300, variation: ChatRequest.Variation = .none
    ) throws(Failure) -> ChatRequest {
        var request = ChatRequest(behaviour, bodyByteCount: bodyByteCount, variation: variation)
        guard subject?.isVerbatim ?? true else {
            request.replyEventCount = nil
            return request
        }
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

    func note(_ text: String) { notes.append(text) }

    func addPoint(_ x: Double, _ y: Double) { points.append((x, y)) }

    /// Has the metrics written, as a Prometheus would.
    func scrape() throws(Failure) {
        let head = "GET /metrics HTTP/1.1\r\nhost: 127.0.0.1:\(adminPort)\r\nconnection: close\r\n\r\n"
        guard let text = Probe.text(of: Array(head.utf8), port: adminPort), text.contains("200 OK") else {
            throw Failure("the metrics cannot be read")
        }
    }
}
