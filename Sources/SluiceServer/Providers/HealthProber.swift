internal import SluiceCore
internal import SluiceNet
internal import SluicePipeline
internal import SluicePolicy
internal import SluiceProviders

/// Asks providers now and then whether they are well, off the workers and at no cost: one that is not opens the breakers of its
/// targets before requests find out, and one that is ends the wait of those that are open.
///
/// A provider that answers at all proves nothing of a single model: its breakers become half-open, and requests decide.
final class HealthProber: TimerTarget {
    private let shared: Shared
    private let client: ProviderClient
    private let loop: EventLoop
    private var timer: LoopTimer?
    private var interval = Duration.zero
    private var underWay: Set<String> = []
    /// How often each provider has failed in a row.
    private var failures: [String: Int] = [:]
    /// One failure may be the network's mood.
    private static let failuresMax = 2

    init(on loop: EventLoop, shared: Shared) {
        self.shared = shared
        self.loop = loop
        client = ProviderClient(on: loop, resolver: shared.resolver)
    }

    /// - Parameter interval: zero: nobody is asked.
    func adopt(interval: Duration) {
        if interval == self.interval { return }
        self.interval = interval
        if let timer { loop.remove(timer) }
        timer = nil
        if interval == .zero { return }
        let timer = LoopTimer(target: self)
        self.timer = timer
        loop.arm(timer, after: interval)
    }

    func timerFired(_ timer: LoopTimer) {
        loop.arm(timer, after: interval)
        let snapshot = shared.current.snapshot
        guard let breakers = snapshot.recovery.breakers else { return }
        for provider in snapshot.providers.values where underWay.insert(provider.name).inserted {
            loop.spawn { [self] in
                let result = await ProviderProbe(client: client, provider: provider).run(spendsTokens: false)
                underWay.remove(provider.name)
                shared.probes[provider.name] = result
                note(result.verdict, provider, breakers)
            }
        }
    }

    /// Keys and quotas are no question of health.
    private func note(_ verdict: ProbeResult.Verdict, _ provider: Provider, _ breakers: BreakerSettings) {
        let log = BreakerLog(shared.log)
        let failed = verdict == .failed ? (failures[provider.name] ?? 0) + 1 : 0
        failures[provider.name] = failed
        for state in shared.lasting.targets.all where state.id.provider == provider.name {
            let breaker = state.health.breaker
            if verdict == .reachable, let transition = breaker.foundWell() { log.note(transition, state) }
            if failed >= Self.failuresMax, let transition = breaker.foundBad(breakers, at: EventLoop.readClock()) {
                log.note(transition, state)
            }
        }
    }
}
