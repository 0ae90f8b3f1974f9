internal import Glibc
package import SluiceCore
internal import SluiceDownstream
package import SluiceNet
package import SluiceTLS

/// The injector's process: the webhook on a thread of its own; health, metrics, certificates and signals on the main one.
package final class InjectServer: TimerTarget {
    /// Where the serving certificate comes from.
    package enum Certificates: Sendable {
        /// From files that somebody else renews; they are looked at every so often.
        case files(TLSIdentityFiles, every: Duration)
        /// It makes its own, and tells the API server.
        case cluster(ClusterAccess, secret: String, webhook: String, CertificatePolicy, every: Duration)
    }

    package struct Options: Sendable {
        package var listen: SocketAddress
        package var admin: SocketAddress
        package var certificates: Certificates
        package var defaults: SidecarDefaults
        /// For so long reviews are still answered after the signal to end: the Service's addresses take a moment to change.
        package var lameDuck = Duration.seconds(5)
        package var version = ""

        package init(
            listen: SocketAddress, admin: SocketAddress, certificates: Certificates, defaults: SidecarDefaults
        ) {
            self.listen = listen
            self.admin = admin
            self.certificates = certificates
            self.defaults = defaults
        }
    }

    private enum Step { case serving, lameDuck, finishing }

    private let options: Options
    private let loop: EventLoop
    private let metrics: InjectMetrics
    private let log: InjectLog
    private let fd: Int32
    /// Where API servers connect, with the port that was chosen.
    package let address: SocketAddress
    package private(set) var adminAddress: SocketAddress
    private var admin: InjectAdmin?
    private var worker: WebhookWorker?
    private var keeper: CertificateKeeper?
    private var files: CertificateStore?
    private var signals: Signals?
    private var step = Step.serving
    private var timer: LoopTimer?
    private var fileTimer: LoopTimer?
    private var status: Int32 = 0
    /// What is under way may take so long to end; the API server waits for 30 s at most.
    private static let grace = Duration.seconds(10)

    /// Binds; nothing is served yet.
    package init(_ options: Options, log queue: LogQueue) throws {
        self.options = options
        log = InjectLog(queue)
        metrics = InjectMetrics(version: options.version)
        loop = try EventLoop()
        if case .files(let identity, _) = options.certificates {
            files = try CertificateStore(DownstreamTLSConfiguration(identities: [identity]))
        }
        fd = try Socket.listen(on: options.listen, isShared: false)
        address = Socket.localAddress(fd) ?? options.listen
        adminAddress = options.admin
    }

    /// Serves until a signal ends it.
    ///
    /// - Parameter began: called when the addresses are known.
    package func run(_ began: @escaping () -> Void = {}) -> Int32 {
        nonisolated(unsafe) let confined = (server: self, began: began)  // used on the loop, which this thread runs
        loop.execute {
            do {
                try unsafe confined.server.start()
                unsafe confined.began()
            } catch {
                unsafe confined.server.log.failed("the injector cannot start", "\(error)")
                unsafe confined.server.status = 1
                unsafe confined.server.loop.stop()
            }
        }
        loop.run()
        worker?.stop()
        return status
    }

    private func start() throws {
        signals = try Signals([SIGTERM, SIGINT], on: loop) { [unowned self] signal in end(signal) }
        let admin = try InjectAdmin(options.admin, on: loop, metrics)
        self.admin = admin
        adminAddress = admin.address
        switch options.certificates {
        case .files(_, let interval):
            if let files {
                noteEnds(files)
                serve(with: files)
            }
            lookAtFiles(after: interval)
        case .cluster(let access, let secret, let webhook, let policy, let interval):
            let settings = CertificateKeeper.Settings(
                access: access, secret: secret, webhook: webhook, policy: policy, interval: interval)
            keeper = CertificateKeeper(settings, on: loop, metrics, log) { [unowned self] store in serve(with: store) }
            keeper?.start()
        }
    }

    private func serve(with store: CertificateStore) {
        do throws(SystemError) {
            worker = try WebhookWorker(
                fd: fd, address: address, store, Injector(options.defaults), metrics, log)
            metrics.isReady = step == .serving
            log.event(.info, "the injector is ready") { $0.field("service.version", options.version) }
        } catch {
            log.failed("the injector cannot start", error.reason)
            status = 1
            loop.stop()
        }
    }

    // MARK: Files

    private func lookAtFiles(after interval: Duration) {
        let timer = LoopTimer(target: self)
        fileTimer = timer
        loop.arm(timer, after: interval)
    }

    private func reloadFiles(_ files: CertificateStore) {
        do throws(TLSError) {
            if try files.reload() == .replaced {
                log.event(.info, "serving certificate changed")
                noteEnds(files)
            }
        } catch {
            log.failed("the serving certificate cannot be read", error.message)
        }
    }

    private func noteEnds(_ files: CertificateStore) {
        guard let end = files.current.certificates.first?.summary.notAfter else { return }
        metrics.noteEnds(certificate: end, authority: nil)
    }

    // MARK: The end

    private func end(_ signal: Int32) {
        guard step == .serving else { return loop.stop() }
        step = .lameDuck
        metrics.isReady = false
        log.event(.info, "draining")
        let timer = LoopTimer(target: self)
        self.timer = timer
        loop.arm(timer, after: signal == SIGINT ? .zero : options.lameDuck)
    }

    package func timerFired(_ timer: LoopTimer) {
        if timer === fileTimer, case .files(_, let interval) = options.certificates {
            if let files { reloadFiles(files) }
            return loop.arm(timer, after: interval)
        }
        switch step {
        case .serving: break
        case .lameDuck: finish()
        case .finishing: loop.stop()
        }
    }

    private func finish() {
        step = .finishing
        guard let worker, let timer else { return loop.stop() }
        loop.arm(timer, after: Self.grace)
        let loop = loop
        worker.drain { loop.execute { loop.stop() } }
    }
}
