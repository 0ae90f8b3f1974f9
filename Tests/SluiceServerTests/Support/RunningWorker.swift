import SluiceConfig
import SluiceCore
import SluiceNet
import SluicePipeline

@testable import SluiceServer

/// One worker with the listeners of a configuration, in the process of the test.
struct RunningWorker {
    let shared: Shared
    let sockets: ListeningSockets
    let worker: Worker

    /// - Parameter text: a configuration; its listeners have port 0.
    init(_ text: String) throws {
        let environment = ConfigEnvironment.fixed()
        let configuration = try ServerConfiguration.load(text: Array(text.utf8), environment: environment).value
        let generation = try SnapshotBuilder.build(configuration, revision: 1, environment: environment)
        shared = Shared(
            status: GatewayStatus(version: "test"), connectionsMax: configuration.limits.connectionsMax,
            log: LogQueue(level: .error, wake: {}), generation: generation, seed: 1)
        sockets = try ListeningSockets(configuration.listeners, workers: 1, handoverPath: nil)
        worker = try Worker(index: 0, bindings: sockets.bindings(forWorker: 0), shared: shared)
    }

    /// The port of a listener.
    func port(_ index: Int = 0) -> UInt16 { sockets.addresses[index].address.port }
}
