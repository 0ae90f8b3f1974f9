package import SluiceCore
internal import Synchronization

/// What the injector counts. The webhook's loop adds to one shard, the loop of the certificates to another.
package final class InjectMetrics: Sendable {
    package let registry = MetricRegistry()
    private let decisions: [Decision: MetricRegistry.Counter]
    private let seconds: MetricRegistry.Histogram
    private let refused: [Int: MetricRegistry.Counter]
    private let rounds: [CertificateRound: MetricRegistry.Counter]
    private let webhookShard: MetricShard
    private let certificateShard: MetricShard
    private let ends = Mutex<(certificate: Int64, authority: Int64?)?>(nil)
    private let ready = Atomic<Bool>(false)

    private static let decisionFamily = MetricFamily(
        "sluice_inject_reviews", .counter, labels: ["decision", "reason"], help: "Pods that were looked at, and what became of them.")
    private static let secondsFamily = MetricFamily(
        "sluice_inject_review_seconds", .histogram(.seconds([0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1])),
        unit: "seconds", scale: 1e-9, help: "From a review's body to its answer.")
    private static let refusedFamily = MetricFamily(
        "sluice_inject_refused_requests", .counter, labels: ["status"], help: "Requests that were no review.")
    private static let roundFamily = MetricFamily(
        "sluice_inject_certificate_rounds", .counter, labels: ["result"],
        help: "Looks at the Secret and the webhook configuration, and what came of them.")
    private static let endFamily = MetricFamily(
        "sluice_inject_certificate_end_time_seconds", .gauge, unit: "seconds", labels: ["kind"],
        help: "When the certificate in use ends, since the epoch.")
    private static let readyFamily = MetricFamily("sluice_inject_ready", .gauge, help: "Whether pods are looked at.")
    private static let buildFamily = MetricFamily(
        "sluice_build_info", .gauge, labels: ["version"], help: "1, with the version of the program.")

    static let refusedStatuses = [400, 404, 405, 408, 413, 415, 503]

    package init(version: String) {
        let registry = registry
        let decisionID = registry.add(Self.decisionFamily)
        decisions = Dictionary(
            Decision.all.map { ($0, registry.counter(decisionID, [$0.outcome.rawValue, $0.reason.rawValue])) },
            uniquingKeysWith: { first, _ in first })
        seconds = registry.histogram(registry.add(Self.secondsFamily))
        let refusedID = registry.add(Self.refusedFamily)
        refused = Dictionary(
            uniqueKeysWithValues: Self.refusedStatuses.map { ($0, registry.counter(refusedID, ["\($0)"])) })
        let roundID = registry.add(Self.roundFamily)
        rounds = Dictionary(
            uniqueKeysWithValues: CertificateRound.allCases.map { ($0, registry.counter(roundID, [$0.rawValue])) })
        webhookShard = registry.makeShard()
        certificateShard = registry.makeShard()
        registry.addSource([Self.buildFamily, Self.readyFamily, Self.endFamily]) { [unowned self] collection in
            collection.add(Self.buildFamily, [version], 1)
            collection.add(Self.readyFamily, [], isReady ? 1 : 0)
            guard let ends = ends.withLock({ $0 }) else { return }
            collection.add(Self.endFamily, ["serving"], .number(Double(ends.certificate)))
            if let end = ends.authority { collection.add(Self.endFamily, ["authority"], .number(Double(end))) }
        }
    }

    package var isReady: Bool {
        get { ready.load(ordering: .relaxed) }
        set { ready.store(newValue, ordering: .relaxed) }
    }

    // MARK: On the webhook's loop

    func note(_ decision: Decision, took duration: Duration) {
        if let counter = decisions[decision] { webhookShard.add(to: counter) }
        webhookShard.observe(Int(clamping: duration.nanoseconds), in: seconds)
    }

    func noteRefused(_ status: Int) { if let counter = refused[status] { webhookShard.add(to: counter) } }

    // MARK: On the loop of the certificates

    func note(_ round: CertificateRound) { if let counter = rounds[round] { certificateShard.add(to: counter) } }

    /// In seconds since 1970.
    ///
    /// - Parameter authority: `nil` for that of somebody else.
    func noteEnds(certificate: Int64, authority: Int64?) { ends.withLock { $0 = (certificate, authority) } }
}

/// How a look at the certificates ended.
enum CertificateRound: String, CaseIterable, Sendable {
    /// Everything was as it should be.
    case unchanged
    /// Something was written.
    case changed
    /// Another replica wrote first; what it wrote is used.
    case conflict
    /// The API server did not do what it was asked.
    case failed
}
