internal import SluiceCore
internal import SluiceDownstream
internal import SluiceNet
internal import SluicePipeline
internal import SluiceTLS

/// One event loop on a thread of its own, and everything that lives on it.
///
/// `@unchecked Sendable`: `core` is made and used on the loop's thread alone; the rest never changes.
final class Worker: @unchecked Sendable {
    /// What lives on the loop.
    final class Core {
        let pipeline: Pipeline
        let registry: ConnectionRegistry
        var listeners: [Listener] = []

        init(pipeline: Pipeline, registry: ConnectionRegistry) {
            self.pipeline = pipeline
            self.registry = registry
        }
    }

    /// A bound socket that this worker accepts from.
    struct Binding: Sendable {
        let fd: Int32
        let address: SocketAddress
        let certificates: CertificateStore?
        let speaksHTTP2: Bool
        let trust: ListenerTrust
    }

    let index: Int
    private let loop: EventLoop
    private var core: Core?

    /// - Parameter shared: what all workers share.
    init(index: Int, bindings: [Binding], shared: Shared) throws(SystemError) {
        self.index = index
        loop = try EventLoop()
        Thread.start("worker-\(index)") { [self] in
            loop.execute { [self] in start(bindings, shared) }
            loop.run()
            core = nil
        }
    }

    private func start(_ bindings: [Binding], _ shared: Shared) {
        let generation = shared.current
        let pipeline = Pipeline(
            loop: loop, snapshot: generation.snapshot, directory: shared.directory, status: shared.status,
            resolver: shared.resolver, gauge: shared.gauge, log: shared.log,
            seed: shared.seed &+ UInt64(index) &* 0x9E37_79B9, management: shared.management)
        let registry = ConnectionRegistry(
            loop: loop, configuration: generation.downstream, count: shared.connections,
            protocolError: { error in shared.events.protocolError(error) },
            handler: { exchange in await pipeline.serve(exchange) })
        let core = Core(pipeline: pipeline, registry: registry)
        self.core = core
        for binding in bindings {
            do throws(SystemError) {
                core.listeners.append(
                    try Listener(
                        fd: binding.fd, address: binding.address, certificates: binding.certificates,
                        speaksHTTP2: binding.speaksHTTP2, trust: binding.trust, registry: registry))
            } catch {
                shared.events.failed("listener cannot be watched", "\(binding.address): \(error)")
            }
        }
    }

    /// Puts a new configuration in force for what begins from now on.
    func adopt(_ generation: Generation) {
        loop.execute { [self] in
            core?.pipeline.adopt(generation.snapshot)
            core?.registry.configuration = generation.downstream
        }
    }

    /// Calls `done`, on this worker's thread, when it has adopted what it was given before.
    func whenCurrent(_ done: @escaping @Sendable () -> Void) { loop.execute(done) }

    /// Closes connections that serve nothing: memory is short.
    func shed() { loop.execute { [self] in core?.registry.closeIdle() } }

    /// Stops accepting, lets exchanges finish, then calls `done` on this worker's thread.
    ///
    /// - Parameter keepsSockets: a successor accepts from the same sockets.
    func drain(keepsSockets: Bool, _ done: @escaping @Sendable () -> Void) {
        loop.execute { [self] in
            guard let core else { return done() }
            for listener in core.listeners { listener.close(keepsOpen: keepsSockets) }
            core.listeners = []
            core.registry.drain {
                core.pipeline.close()
                done()
            }
        }
    }

    /// Ends what has not finished in time, honestly, and closes everything.
    func cut(_ done: @escaping @Sendable () -> Void) {
        loop.execute { [self] in
            core?.pipeline.cancelAll()
            // One turn, so that the last events are written.
            loop.execute { [self] in
                core?.registry.closeAll()
                done()
            }
        }
    }
}
