internal import SluiceCore
internal import SluiceNet
internal import SluiceTLS

/// Keeps the certificates: those of the Secret, that of the listener, and `caBundle` of the webhook's configuration.
///
/// Any number of replicas do so at the same time. What they write names the version that they have read, so that of two that want
/// the same one writes, and the other reads what was written.
final class CertificateKeeper: TimerTarget {
    struct Settings: Sendable {
        var access: ClusterAccess
        var secret: String
        var webhook: String
        var policy: CertificatePolicy
        var interval = Duration.seconds(30)
    }

    private let settings: Settings
    private let metrics: InjectMetrics
    private let log: InjectLog
    private let resolver = Resolver()
    private let loop: EventLoop
    private var timer: LoopTimer?
    private var store: CertificateStore?
    /// Called once, when there is a certificate to serve with.
    private let began: (CertificateStore) -> Void
    private var failures = 0
    private var random = SplitMix64(UInt64(truncatingIfNeeded: EventLoop.readWallClock()))

    /// So often a change is tried again that another replica was faster with.
    private static let triesMax = 5
    private static let longestWait = Duration.seconds(300)
    private static let certificateName = "the serving certificate"

    init(
        _ settings: Settings, on loop: EventLoop, _ metrics: InjectMetrics, _ log: InjectLog,
        _ began: @escaping (CertificateStore) -> Void
    ) {
        self.settings = settings
        self.loop = loop
        self.metrics = metrics
        self.log = log
        self.began = began
    }

    func start() { look() }

    func timerFired(_ timer: LoopTimer) { look() }

    private func look() {
        loop.spawn { [self] in
            do throws(Trouble) {
                metrics.note(try await round())
                if failures > 0 { log.event(.info, "certificates are kept again") }
                failures = 0
            } catch {
                metrics.note(.failed)
                failures += 1
                // Once in a row is enough to know of it.
                if failures == 1 || failures.isMultiple(of: 20) { log.failed("certificates cannot be kept", error.reason) }
            }
            arm()
        }
    }

    /// Not at the same moments as the other replicas; later and later while nothing works.
    private func arm() {
        let exponent = min(max(failures - 1, 0), 6)
        let wait = min(settings.interval * (1 << exponent), max(settings.interval, Self.longestWait))
        let share = Int(random.next() % 21) + 90
        let timer = timer ?? LoopTimer(target: self)
        self.timer = timer
        timer.disarm()
        loop.arm(timer, after: wait * share / 100)
    }

    struct Trouble: Error {
        let reason: String
    }

    // MARK: One look

    private func round() async throws(Trouble) -> CertificateRound {
        do throws(ClusterClient.Failure) {
            let client = try ClusterClient(settings.access, resolver)
            for _ in 0..<Self.triesMax {
                do throws(ClusterClient.Failure) {
                    return try await attempt(client)
                } catch .conflict {
                    metrics.note(.conflict)
                }
            }
            throw .other("others change the same objects all the time")
        } catch {
            switch error {
            case .conflict: throw Trouble(reason: "others change the same objects all the time")
            case .other(let reason): throw Trouble(reason: reason)
            }
        }
    }

    private func attempt(_ client: ClusterClient) async throws(ClusterClient.Failure) -> CertificateRound {
        let secretPath = "/api/v1/namespaces/\(settings.access.namespace)/secrets/\(settings.secret)"
        let webhookPath =
            "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/\(settings.webhook)"
        let secret = try SecretView(try await client.get(secretPath))
        let webhook = try WebhookView(try await client.get(webhookPath))
        let now = EventLoop.readWallClock() / 1_000_000_000
        var bundle = secret.bundle
        var hasChanged = false
        if let step = try next(bundle, now, webhook) {
            try await client.patch(secretPath, .merge, step.bundle.patch(over: secret.resourceVersion))
            bundle = step.bundle
            hasChanged = true
            log.event(.info, "certificates changed") { $0.field("event.reason", step.change.rawValue) }
        }
        // The first certificate is of use even before anybody trusts it; another is served when it is trusted.
        if store == nil { try adopt(bundle) }
        if !webhook.trusts(bundle.trusted) {
            try await client.patch(webhookPath, .operations, webhook.patch(trusting: bundle.trusted))
            hasChanged = true
            log.event(.info, "webhook configuration changed") { $0.field("orchestrator.resource.name", settings.webhook) }
        }
        try adopt(bundle)
        return hasChanged ? .changed : .unchanged
    }

    private func next(
        _ bundle: CertificateBundle, _ now: Int64, _ webhook: WebhookView
    ) throws(ClusterClient.Failure) -> (bundle: CertificateBundle, change: CertificatePolicy.Change)? {
        do throws(TLSError) {
            return try settings.policy.next(
                bundle, at: now, isPublished: webhook.trusts(bundle.trusted), published: webhook.trusted)
        } catch {
            throw .other(error.message)
        }
    }

    private func adopt(_ bundle: CertificateBundle) throws(ClusterClient.Failure) {
        guard let serving = bundle.serving else { return }
        do throws(TLSError) {
            if let store {
                if try store.replace(with: serving, named: Self.certificateName) == .replaced {
                    log.event(.info, "serving certificate changed")
                }
            } else {
                let fresh = try CertificateStore(serving, named: Self.certificateName)
                store = fresh
                began(fresh)
            }
            let ends = try (
                CertificateSummary.all(of: serving.certificate.span, named: Self.certificateName).first?.notAfter,
                CertificateSummary.all(of: bundle.authorities.span, named: "ca.crt").first?.notAfter
            )
            metrics.noteEnds(certificate: ends.0 ?? 0, authority: ends.1 ?? 0)
        } catch {
            throw .other(error.message)
        }
    }
}
