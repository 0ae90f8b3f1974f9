package import SluiceIdentity
package import SluicePolicy
package import SluiceStorage
package import Synchronization
package import SluiceTLS

/// What outlives a configuration: what the process has learned, counts and keeps. Shared by all workers.
package final class LastingState: Sendable {
    package let targets = TargetTable()
    package let limits = LimitTable()
    /// What targets had done before this process began.
    package let past = TargetPast()
    package let gates = GateTable()
    package let drains = DrainGate()
    package let streams = StreamCounts()
    package let cache = ResponseCache()
    package let marks = CredentialMarks()
    /// Requests whose answers others may wait for.
    package let flights = FlightTable<FlightWaiter>()
    /// The same for requests with idempotency keys.
    package let replyFlights = FlightTable<FlightWaiter>()
    package let redis = RedisHealth()
    package let metrics = GatewayMetrics()
    /// Spans that wait to be exported.
    package let spans = SpanQueue()
    /// API keys that the configuration does not name.
    package let keys = KeyTable()
    package let accessWatch = AccessWatch()
    /// Keys of those who issue tokens, Sluice's own among them.
    package let identity = IdentityState()
    /// Seals what is stored; without keys if the configuration names none.
    package let vault: SecretVault
    /// Moves what is stored to another key.
    package let rotation: SecretRotation
    /// Who changed what, and who was refused. Off without a directory.
    package let audit = AuditLog()
    /// Of what is set through the management API, which replies tell; negative: nothing can be, and nothing is told.
    package let controlRevision = Atomic<Int>(-1)
    /// The revision that each model was last changed by through the management API; what the file says is not among them.
    package let modelVersions = Mutex<[String: Int]>([:])
    /// What was asked and answered; not open unless the configuration says so.
    package let records: RecordStore
    /// Tells processes apart that talk through Redis.
    package let processNumber = UInt64.random(in: 1 ... .max)

    package init() {
        vault = SecretVault()
        rotation = SecretRotation(vault)
        records = RecordStore(vault: vault)
        rotation.add(records)
    }
}
