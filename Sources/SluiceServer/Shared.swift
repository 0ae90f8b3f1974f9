internal import SluiceConfig
internal import SluiceCore
internal import SluiceDownstream
internal import SluiceNet
internal import SluicePipeline
internal import SluiceStorage
internal import Synchronization

/// One configuration as the workers use it.
struct Generation: Sendable {
    let snapshot: ConfigSnapshot
    let downstream: DownstreamConfiguration
    /// Whose names a scrape gets metrics under, too.
    var aliases: [MetricsConfiguration.Alias] = []
    /// What is sent to receivers of telemetry.
    var telemetry: [any TelemetryPlan] = []
}

/// What all workers share: immutable, atomic, or behind a lock that is held for a few lines.
final class Shared: Sendable {
    let status: GatewayStatus
    let directory = ModelDirectory()
    let resolver = Resolver()
    let connections: ConnectionCount
    let log: LogQueue
    let events: EventLog
    let gauge = LoadGauge()
    let probes = ProbeResults()
    let management = ManagementRouter()
    let telemetry = TelemetryStatuses()
    let lasting: LastingState
    let seed: UInt64
    private let generation: Mutex<Generation>

    init(
        status: GatewayStatus, connectionsMax: Int, log: LogQueue, generation: Generation, lasting: LastingState = LastingState(),
        seed: UInt64
    ) {
        self.lasting = lasting
        self.status = status
        connections = ConnectionCount(max: connectionsMax)
        self.log = log
        let events = EventLog(log)
        self.events = events
        lasting.redis.onEvent { events.redis($0) }
        lasting.records.onEvent { events.records($0) }
        self.seed = seed
        self.generation = Mutex(generation)
        MetricSources.register(self)
    }

    var current: Generation {
        get { generation.withLock { $0 } }
        set { generation.withLock { $0 = newValue } }
    }
}
