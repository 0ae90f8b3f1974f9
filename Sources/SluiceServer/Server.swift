internal import Glibc
package import SluiceConfig
internal import SluiceCore
internal import SluiceDownstream
internal import SluiceIdentity
internal import SluiceNet
internal import SluicePipeline
internal import SluicePolicy
internal import SluiceStorage
internal import SluiceTLS
internal import Synchronization

/// The process: its workers, and a control loop on the main thread for health, signals, reloads and the end.
package final class Server {
    package static let version = "0.1.0"

    /// What the command line asks for, beside the configuration.
    package struct Options {
        package var configFile: String?
        package var overrides = ServerConfiguration.Overrides()
        /// A unix socket over which a running Sluice hands its listening sockets to this one.
        package var handoverPath: String?
        package var printsBanner = true

        package init() {}
    }

    let options: Options
    let loop: EventLoop
    let shared: Shared
    let logWriter: LogWriter
    let keyCommands = RememberedCommands()
    /// The world as configurations see it.
    let environment: ConfigEnvironment
    var configuration: ServerConfiguration
    private(set) var workers: [Worker] = []
    private var admin: AdminEndpoint?
    private var signals: Signals?
    private(set) var reload: Reload?
    private var drain: Drain?
    private var handover: Handover?
    private var guardian: MemoryGuard?
    private var discovery: ModelDiscovery?
    private var prober: HealthProber?
    private var recordStream: RecordStream?
    private var ledger: UseLedger?
    var telemetry: Telemetry?
    private var exitStatus: Int32 = 0
    /// Workers that have not said yet that they have the latest configuration.
    private var settling = 0
    let sockets: ListeningSockets
    private let started: ControlStart
    /// What is set through the management API.
    private(set) var control: ControlCenter?
    /// What is in force, and where it comes from.
    private(set) var layered: LayeredConfiguration

    /// Reads the configuration and binds; nothing is served yet.
    ///
    /// - Throws: `ConfigErrors`, with every mistake.
    package init(_ options: Options) throws {
        self.options = options
        environment = .process.remembering(keyCommands)
        let lasting = LastingState()
        started = try ControlStart(options, environment, lasting.vault)
        layered = started.layered
        configuration = layered.outcome.value
        if configuration.secrets?.allowsCoreDumps != true { ProcessLimits.forbidCoreDumps() }
        ProcessLimits.raiseDescriptorLimit()
        Memory.configure(arenas: Self.workerCount(configuration) + 2)
        Signals.block([SIGTERM, SIGINT, SIGHUP])
        if let store = started.store, store.usesVault { lasting.rotation.add(ControlReseal(store)) }
        try Self.startAudit(configuration, lasting)
        let generation = try SnapshotBuilder.build(
            configuration, revision: 1, environment: .process, lasting: lasting)
        logWriter = try LogWriter(configuration.log)
        // Not OpenSSL's generator: it would be started, with 5 MB, even where nothing speaks TLS.
        var random = SystemRandomNumberGenerator()
        shared = Shared(
            status: GatewayStatus(version: Self.version), connectionsMax: configuration.limits.connectionsMax,
            log: logWriter.start(level: configuration.log.level.logLevel),
            generation: generation, lasting: lasting, seed: random.next())
        lasting.gates.adopt(generation.snapshot.concurrency)
        lasting.records.adopt(RecordsBuilder.store(configuration))
        loop = try EventLoop()
        sockets = try ListeningSockets(
            configuration.listeners, workers: Self.workerCount(configuration), handoverPath: options.handoverPath)
        CertificateMetrics.register(sockets.shownCertificates, in: lasting.metrics.registry)
        reload = Reload(self, layered.outcome)
        let control = ControlCenter(self, started)
        self.control = control
        control.adoptKeys()
        if let store = started.store { UseLedger.recall(store, shared) }
        if started.store != nil { showControlRevision(started.state.revision) }
        shared.management.tells { [unowned shared] in
            let revision = shared.lasting.controlRevision.load(ordering: .relaxed)
            return revision < 0 ? nil : "\(revision).\(shared.current.snapshot.revision)"
        }
        shared.management.add(ManagementRoutes.all(shared, ControlDesk(control, on: loop)))
    }

    private static func workerCount(_ configuration: ServerConfiguration) -> Int {
        switch configuration.workers {
        case .automatic: ProcessLimits.processorCount
        case .count(let count): count
        }
    }

    /// Serves until a signal ends it.
    ///
    /// - Returns: the exit status.
    package func run() -> Int32 {
        nonisolated(unsafe) let confined = self  // used on the control loop alone, which this thread runs
        loop.execute { unsafe confined.startOrStop() }
        loop.run()
        handover?.removeFile()
        sockets.removeFiles()
        ledger?.finish()
        shared.lasting.records.finish()
        endAudit()
        logWriter.finish()
        return exitStatus
    }

    private func startOrStop() {
        do {
            try start()
        } catch {
            FileHandleOutput.standardError("sluice: \(error)\n")
            exitStatus = 1
            loop.stop()
        }
    }

    private func start() throws {
        for index in 0..<sockets.workerCount {
            workers.append(try Worker(index: index, bindings: sockets.bindings(forWorker: index), shared: shared))
        }
        if let address = configuration.admin {
            admin = try AdminEndpoint(address, on: loop, shared: shared, sockets: sockets, more: [secretsEndpoint])
        }
        signals = try Signals([SIGTERM, SIGINT, SIGHUP], on: loop) { [unowned self] signal in received(signal) }
        drain = Drain(self)
        reload?.start()
        guardian = MemoryGuard(configuration.limits.memory, on: loop, shared: shared) { [unowned self] in
            for worker in workers { worker.shed() }
        }
        shared.status.configRevision = 1
        shared.status.isServing = true
        try sockets.becomeReady()
        if let path = options.handoverPath {
            handover = try Handover(path, on: loop, sockets: sockets) { [unowned self] in
                admin?.close()
                telemetry?.handOver()
                drain?.begin(keepsSockets: true, skipsLameDuck: true)
            }
        }
        recordStream = RecordStream(on: loop, shared: shared)
        recordStream?.adopt(configuration)
        beginTelemetry()
        prober = HealthProber(on: loop, shared: shared)
        prober?.adopt(interval: configuration.breakers.probeInterval)
        discovery = ModelDiscovery(on: loop, shared: shared, prints: options.printsBanner)
        if options.printsBanner { Banner.print(configuration, addresses: sockets.addresses, admin: admin?.address) }
        for note in configuration.notes {
            shared.events.event(.warn, "configuration note") { $0.field("event.reason", note) }
        }
        shared.events.event(.info, "ready") { line in
            line.field("service.version", Self.version)
            line.field("sluice.workers", workers.count)
            line.field("sluice.config.revision", 1)
        }
        discovery?.refresh()
        beginAudit()
        shared.lasting.identity.notices.onNotice { [events = shared.events] in events.identity($0) }
        beginSecrets()
        for trouble in started.troubles { shared.events.failed("what was set through the API is not all in force", trouble) }
        if let first = started.troubles.first { shared.status.lastReloadError = first }
        if let store = started.store { ledger = UseLedger(store, started.clerk, shared, on: loop) }
        control?.start(seal: started.fleetSeal, on: loop, resolver: shared.resolver, seed: shared.seed)
    }

    private func received(_ signal: Int32) {
        switch signal {
        case SIGHUP:
            do throws(LogFileUnusable) {
                try logWriter.reopen()
            } catch {
                shared.events.failed("log file not reopened", "\(error)")
            }
            reload?.reloadWithKeys(because: "SIGHUP")
        default: drain?.begin(keepsSockets: sockets.areInherited, skipsLameDuck: signal == SIGINT)
        }
    }

    /// Tells everybody which revision of what is set through the management API holds here.
    func showControlRevision(_ revision: Int) {
        shared.status.controlRevision = revision
        shared.lasting.controlRevision.store(revision, ordering: .relaxed)
    }

    /// Reads the configuration anew, as something of it was set through the API, and returns when every worker has it.
    func reloadControlled(because reason: String) async {
        reload?.reload(because: reason)
        guard !workers.isEmpty else { return }
        let isDone = Waiter<Void>()
        nonisolated(unsafe) let confined = (server: self, isDone: isDone)  // the control loop's
        settling = workers.count
        for worker in workers {
            worker.whenCurrent { [loop] in
                loop.execute {
                    unsafe confined.server.settling -= 1
                    if unsafe confined.server.settling == 0 { unsafe confined.isDone.fulfil(()) }
                }
            }
        }
        await isDone.wait()
    }

    /// Puts a new configuration in force on every worker.
    func adopt(_ layered: LayeredConfiguration, _ generation: Generation) {
        self.layered = layered
        let configuration = layered.outcome.value
        // What was closed may have been another key, or another account.
        let changed = configuration.providers.filter { self.configuration.provider(named: $0.name) != $0 }.map(\.name)
        for state in shared.lasting.targets.all where changed.contains(state.id.provider) {
            state.health.closures.openAll()
            state.open()
        }
        self.configuration = configuration
        adoptKeys(of: configuration)
        if let keys = shared.current.snapshot.access?.keys {
            generation.snapshot.access?.keys.remember(keys.uses(since: 0))
        }
        shared.current = generation
        control?.adopt(configuration.control)
        shared.lasting.gates.adopt(generation.snapshot.concurrency)
        shared.lasting.records.adopt(RecordsBuilder.store(configuration))
        for worker in workers { worker.adopt(generation) }
        shared.status.configRevision = generation.snapshot.revision
        recordStream?.adopt(configuration)
        telemetry?.adopt(generation.telemetry)
        prober?.adopt(interval: configuration.breakers.probeInterval)
        discovery?.refresh()
    }
}

extension LogConfiguration.Level {
    var logLevel: LogLevel {
        switch self {
        case .debug: .debug
        case .info: .info
        case .warning: .warn
        case .error: .error
        }
    }
}
