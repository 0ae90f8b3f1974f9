internal import SluiceCore
internal import SluiceJSON
internal import SluiceNet
internal import SluicePolicy
internal import SluiceStorage

/// What one worker needs to look things up and to keep them.
final class CacheRuntime {
    let loop: EventLoop
    let keys = RequestKeys()
    /// For documents of replies; the pipeline's own still holds the request's.
    let tape = JSONTape()
    private(set) var redis: RedisClient?
    private var random: SplitMix64
    /// Whether it is known what was purged before; from then on it is looked after.
    private(set) var hasLearntPurges = false
    /// What was purged here, and Redis has not heard of yet.
    private var untold: [PurgeTarget: Int] = [:]
    private var isTelling = false
    /// The second level under the settings that were used last.
    private var lastLevel: (settings: CacheSettings, level: RedisCache)?
    private static let toldAgain = Duration.seconds(1)
    /// What was published while nobody listened is found out within ten seconds, the time that Redis takes included.
    private static let purgesLearned = Duration.seconds(9)
    /// The same, where Redis did not tell.
    private static let purgesAskedAgain = Duration.seconds(1)

    init(loop: EventLoop, seed: UInt64, cache: ResponseCache) {
        self.loop = loop
        random = SplitMix64(seed)
        nonisolated(unsafe) let confined = self  // used on its loop alone
        cache.onPurge { [loop] target, time in
            loop.execute { unsafe confined.announce(target, at: time, cache) }
        }
    }

    /// Milliseconds since 1970.
    var time: Int { Int(EventLoop.readWallClock() / 1_000_000) }

    func nextRandom() -> UInt64 { random.next() }

    /// What a lock is marked with.
    func makeToken(_ lasting: LastingState) -> RedisCache.LockToken {
        RedisCache.LockToken(process: lasting.processNumber, number: random.next())
    }

    // MARK: Redis

    /// To be called when a configuration brings another client, or none.
    func adopt(_ client: RedisClient?) {
        if client === redis { return }
        redis = client
        lastLevel = nil
        hasLearntPurges = false
    }

    func answers(_ settings: CacheSettings, _ cache: ResponseCache) -> RedisCache? {
        guard settings.usesRedis, let redis else { return nil }
        if let lastLevel, lastLevel.settings === settings { return lastLevel.level }
        let level = RedisCache(redis, settings.codec, .answers, cache)
        lastLevel = (settings, level)
        return level
    }

    func replies(_ settings: IdempotencySettings, _ cache: ResponseCache) -> RedisCache? {
        guard settings.usesRedis, let redis else { return nil }
        return RedisCache(redis, settings.codec, .replies, cache)
    }

    private func announce(_ target: PurgeTarget, at time: Int, _ cache: ResponseCache) {
        untold[target] = time
        // The others lose more than they had to.
        if untold.count > PurgeMarks.countMax { untold = [.all: untold.values.max() ?? time] }
        tell(cache)
    }

    /// Tells the other processes what was purged, until Redis has heard it.
    private func tell(_ cache: ResponseCache) {
        guard let redis else { return untold = [:] }
        if isTelling { return }
        isTelling = true
        loop.spawn { [self] in
            let level = RedisCache(redis, EntryCodec(secret: nil), .answers, cache)
            for (target, time) in untold {
                if !(await level.purge(target, at: time)) { break }
                if untold[target] == time { untold[target] = nil }
            }
            isTelling = false
            if untold.isEmpty { return }
            let again = Later { [weak self] in self?.tell(cache) }
            loop.arm(LoopTimer(target: again), after: Self.toldAgain)
        }
    }

    private final class Later: TimerTarget {
        private let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
        func timerFired(_ timer: LoopTimer) { body() }
    }

    /// To be called before anything is looked up where `hasLearntPurges` is false: only the first waits for what was purged before.
    func learnPurges(_ level: RedisCache) async {
        if hasLearntPurges { return }
        hasLearntPurges = true
        level.followPurges()
        await learn(level, for: redis)
    }

    /// What is in the memory here is purged too, whether anybody asks Redis for something in the meantime or not.
    private func learn(_ level: RedisCache, for client: RedisClient?) async {
        let hasTold = await level.learnPurges()
        // Another client has taken over, or none.
        guard client === redis else { return }
        let again = Later { [weak self, loop] in
            loop.spawn { await self?.learn(level, for: client) }
        }
        loop.arm(LoopTimer(target: again), after: hasTold ? Self.purgesLearned : Self.purgesAskedAgain)
    }
}
