internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet
internal import SluiceTLS

/// One event loop of a mock on a thread of its own.
///
/// `@unchecked Sendable`: what lives on the loop is made and used on its thread alone; the rest never changes.
final class MockWorker: @unchecked Sendable {
    /// A bound socket that the worker accepts from.
    struct Binding: Sendable {
        let fd: Int32
        let address: SocketAddress
    }

    private let loop: EventLoop
    private var registry: ConnectionRegistry?
    private var listeners: [Listener] = []

    init(
        index: Int, bindings: [Binding], certificates: CertificateStore?, connections: ConnectionCount,
        shared: MockShared
    ) throws(SystemError) {
        loop = try EventLoop()
        Thread.start("mock-\(index)") { [self] in
            loop.execute { [self] in start(bindings, certificates, connections, shared) }
            loop.run()
            listeners = []
            registry = nil
        }
    }

    private func start(
        _ bindings: [Binding], _ certificates: CertificateStore?, _ connections: ConnectionCount, _ shared: MockShared
    ) {
        let provider = MockProvider(shared)
        let registry = ConnectionRegistry(
            loop: loop, configuration: Self.configuration, count: connections, protocolError: { _ in },
            handler: { exchange in await provider.serve(exchange) })
        self.registry = registry
        for binding in bindings {
            // A descriptor that was just made and bound can be watched.
            if let listener = try? Listener(
                fd: binding.fd, address: binding.address, certificates: certificates, registry: registry)
            {
                listeners.append(listener)
            }
        }
    }

    /// A practice partner puts up with more than a gateway does.
    private static var configuration: DownstreamConfiguration {
        var configuration = DownstreamConfiguration()
        configuration.idle = .seconds(600)
        configuration.stall = .seconds(600)
        configuration.bodyTotal = .seconds(3600)
        configuration.http2.concurrentStreams = 10_000
        configuration.http2.prematureResetsPerSecond = 100_000
        configuration.http2.prematureResetCount = 1_000_000
        return configuration
    }

    /// Closes everything, and ends the thread.
    func stop() {
        loop.execute { [self] in
            for listener in listeners { listener.close(keepsOpen: false) }
            listeners = []
            registry?.closeAll()
            loop.execute { [self] in loop.stop() }
        }
    }
}
