internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet
internal import SluiceTLS

/// The loop that API servers connect to, on a thread of its own.
///
/// `@unchecked Sendable`: what lives on the loop is made and used on its thread alone; the rest never changes.
final class WebhookWorker: @unchecked Sendable {
    private let loop: EventLoop
    private var registry: ConnectionRegistry?
    private var listener: Listener?

    private static let connectionsMax = 1000

    /// - Parameter fd: a listening socket.
    init(
        fd: Int32, address: SocketAddress, _ certificates: CertificateStore, _ injector: Injector, _ metrics: InjectMetrics,
        _ log: InjectLog
    ) throws(SystemError) {
        loop = try EventLoop()
        Thread.start("webhook") { [self] in
            loop.execute { [self] in start(fd, address, certificates, injector, metrics, log) }
            loop.run()
            listener = nil
            registry = nil
        }
    }

    private func start(
        _ fd: Int32, _ address: SocketAddress, _ certificates: CertificateStore, _ injector: Injector,
        _ metrics: InjectMetrics, _ log: InjectLog
    ) {
        let handler = WebhookHandler(injector, metrics, log)
        let registry = ConnectionRegistry(
            loop: loop, configuration: Self.configuration, count: ConnectionCount(max: Self.connectionsMax),
            protocolError: { _ in }, handler: { exchange in await handler.serve(exchange) })
        self.registry = registry
        do throws(SystemError) {
            listener = try Listener(fd: fd, address: address, certificates: certificates, registry: registry)
        } catch {
            log.failed("the injector cannot start", error.reason)
        }
    }

    /// The API server waits for seconds: who is slower than that is not it.
    private static var configuration: DownstreamConfiguration {
        var configuration = DownstreamConfiguration()
        configuration.headTimeout = .seconds(5)
        configuration.bodyStall = .seconds(5)
        configuration.bodyTotal = .seconds(10)
        configuration.stall = .seconds(10)
        return configuration
    }

    /// Finishes what is under way, takes nothing new, and calls `done` on the worker's own thread.
    func drain(_ done: @escaping @Sendable () -> Void) {
        loop.execute { [self] in
            listener?.close(keepsOpen: false)
            listener = nil
            guard let registry else { return done() }
            registry.drain(done)
        }
    }

    func stop() {
        loop.execute { [self] in
            registry?.closeAll()
            loop.execute { [self] in loop.stop() }
        }
    }
}
