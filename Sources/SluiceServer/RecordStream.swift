internal import SluiceConfig
internal import SluiceCore
internal import SluiceNet
internal import SluicePipeline
internal import SluiceStorage

/// Records on their way to other nodes and from them, on the control loop.
final class RecordStream {
    private let loop: EventLoop
    private let shared: Shared
    private var settings: RecordStreamSettings?
    private var redis: RedisSettings?
    private var client: RedisClient?
    private var shipper: RecordShipper?
    private var collector: RecordCollector?

    init(on loop: EventLoop, shared: Shared) {
        self.loop = loop
        self.shared = shared
    }

    /// Follows the configuration that is in force.
    func adopt(_ configuration: ServerConfiguration) {
        let wanted = RecordsBuilder.stream(configuration)
        let redis = shared.current.snapshot.redis
        if wanted == settings, redis == self.redis { return }
        close()
        settings = wanted
        self.redis = redis
        guard let wanted, let redis else { return }
        let client = RedisClient(
            redis, health: shared.lasting.redis, loop: loop, resolver: shared.resolver, seed: shared.seed &+ 0x5EC0_4D5)
        self.client = client
        let store = shared.lasting.records
        shipper = RecordShipper(store, client, wanted, on: loop)
        if wanted.collects {
            let number = String(shared.lasting.processNumber, radix: 16)
            collector = RecordCollector(store, client, wanted, consumer: "\(wanted.node)-\(number)", on: loop)
        }
    }

    func close() {
        shipper?.close()
        collector?.close()
        client?.close()
        (shipper, collector, client) = (nil, nil, nil)
    }
}
