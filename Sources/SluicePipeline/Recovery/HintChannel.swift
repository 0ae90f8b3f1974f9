internal import SluiceCore
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders
internal import SluiceStorage

/// One worker's ear and mouth for what other processes have found out about targets, through Redis. Nothing waits for it: what is
/// not told in time everybody finds out alone.
final class HintChannel {
    private let log: BreakerLog
    private var redis: RedisClient?
    private var snapshot: ConfigSnapshot
    /// Shorter closures are over before others could act on them.
    private static let waitMin = Duration.milliseconds(200)

    init(_ snapshot: ConfigSnapshot, log: BreakerLog) {
        self.snapshot = snapshot
        self.log = log
    }

    func adopt(_ snapshot: ConfigSnapshot) { self.snapshot = snapshot }

    /// - Parameter redis: another one than before, or none.
    func adopt(_ redis: RedisClient?) {
        self.redis = redis
        guard let redis else { return }
        redis.subscribe(Self.channel(redis)) { [weak self] message in self?.hear(message) }
    }

    private static func channel(_ redis: RedisClient) -> String { redis.key("health") }

    // MARK: Telling

    func tell(_ transition: CircuitBreaker.Transition, _ target: TargetState) {
        guard transition.to == .open, transition.reason != .hint, let wait = transition.wait else { return }
        tell(.breakerOpen, target, wait)
    }

    /// - Parameter key: its place, or `KeyClosures.noKey` or `everyKey`.
    func tellClosed(_ key: Int, of count: Int, _ target: TargetState, for wait: Duration) {
        tell(.keyClosed(key, of: count), target, wait)
    }

    private func tell(_ kind: HealthHint.Kind, _ target: TargetState, _ wait: Duration) {
        guard let redis, wait >= Self.waitMin, redis.isAvailable else { return }
        let hint = HealthHint(kind, target.id, wait: wait, sender: snapshot.lasting.processNumber)
        var command = RedisCommand("PUBLISH")
        command.append(Self.channel(redis))
        command.append(hint.text)
        redis.post(command)
    }

    // MARK: Hearing

    private func hear(_ message: [UInt8]) {
        guard let hint = HealthHint(message), hint.sender != snapshot.lasting.processNumber,
            let target = snapshot.lasting.targets.known(hint.target)
        else { return }
        let now = EventLoop.readClock()
        switch hint.kind {
        case .breakerOpen:
            guard let breakers = snapshot.recovery.breakers,
                let transition = target.health.breaker.follow(openFor: hint.wait, breakers, at: now)
            else { return }
            log.note(transition, target)
        case .keyClosed(let key, let count):
            guard let provider = snapshot.providers[hint.target.provider], provider.keys.count == count else { return }
            let until = now + min(hint.wait, snapshot.recovery.retries.closedMax)
            target.health.closures.close(key, until: until, at: now)
            if let opening = target.health.closures.soonestOpening(ofKeys: count, at: now) {
                target.close(until: opening)
            }
        }
    }
}
