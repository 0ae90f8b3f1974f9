internal import SluiceCore
internal import SluiceNet
internal import SluicePipeline
internal import Synchronization

/// Something that gathers telemetry and sends it. Lives on the loop of telemetry.
protocol TelemetryService: AnyObject {
    /// Until when the end of the process waits for it at most, if it ends now.
    func deadline(endingAt now: Instant) -> Instant
    /// Another process goes on under the same name: the end of this one is not to be told as the end.
    func handOver()
    /// Sends what is left, until the deadline at most, and ends. Nothing is sent after that.
    func finish(by deadline: Instant) async
}

/// What the configuration says of one service, ready to be started. Two that are equal are the same service, which goes on.
protocol TelemetryPlan: Sendable, Equatable {
    /// Of its receiver.
    var name: String { get }
    /// To be called on the loop of telemetry.
    func start(_ scope: TelemetryScope) -> any TelemetryService
    /// Whether it goes on with what another did, so that the end of that one is no end.
    func continues(_ other: any TelemetryPlan) -> Bool
}

extension TelemetryPlan {
    func isSame(as other: any TelemetryPlan) -> Bool { (other as? Self) == self }
}

/// What services work with.
struct TelemetryScope: Sendable {
    let loop: EventLoop
    let resolver: Resolver
    let registry: MetricRegistry
    let events: EventLog
    let spans: SpanQueue
    let log: LogQueue
    let statuses: TelemetryStatuses
    /// What `instance` says where the configuration does not.
    let instance: String
    private let seeds: Seeds

    private final class Seeds: Sendable {
        let random: Mutex<SplitMix64>
        init(_ seed: UInt64) { random = Mutex(SplitMix64(seed)) }
    }

    init(_ shared: Shared, loop: EventLoop, instance: String) {
        self.loop = loop
        self.instance = instance
        resolver = shared.resolver
        registry = shared.lasting.metrics.registry
        events = shared.events
        spans = shared.lasting.spans
        log = shared.log
        statuses = shared.telemetry
        seeds = Seeds(shared.seed &+ 0x7E1E_3E7)
    }

    /// For a generator of its own.
    func makeSeed() -> UInt64 { seeds.random.withLock { $0.next() } }
}
