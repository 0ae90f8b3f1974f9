internal import SluiceNet
internal import SluicePolicy
internal import SluiceStorage

/// Keeps a lock in Redis for as long as the work takes. Whoever waits for a process that has died waits for one lease.
final class LockKeeper: TimerTarget {
    /// How long a lock outlives its process.
    static let lease = Duration.seconds(10)
    private static let extendedEvery = Duration.seconds(3)
    private let lock: RedisCache.Lock
    private let redis: RedisCache
    private let loop: EventLoop
    private var timer: LoopTimer?

    /// - Returns: `nil` if there is no lock to be kept.
    init?(_ locking: RedisCache.Locking, _ redis: RedisCache, _ loop: EventLoop) {
        switch locking {
        case .locked(let lock), .unsure(let lock): self.lock = lock
        case .taken, .unavailable: return nil
        }
        self.redis = redis
        self.loop = loop
        let timer = LoopTimer(target: self)
        self.timer = timer
        loop.arm(timer, after: Self.extendedEvery)
    }

    func timerFired(_ timer: LoopTimer) {
        redis.extend(lock, lease: Self.lease)
        loop.arm(timer, after: Self.extendedEvery)
    }

    /// Gives the lock back, and keeps what the work has brought, in one step.
    ///
    /// - Parameter time: in milliseconds since 1970.
    func release(keeping entry: CacheEntry, for key: CacheKey, time: Int) {
        guard let timer else { return redis.store(entry, for: key, now: loop.now, time: time) }
        loop.remove(timer)
        self.timer = nil
        redis.store(entry, for: key, now: loop.now, time: time, releasing: lock)
    }

    func release() {
        guard let timer else { return }
        loop.remove(timer)
        self.timer = nil
        redis.unlock(lock)
    }
}
