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
    /// Of this worker, and of no other in the fleet: seeds may be configured.
    private let lockMark = UInt64.random(in: 0 ... .max)
    private var purgesLearnedAt: Instant?
    /// What was purged here, and Redis has not heard of yet.
    private var untold: [PurgeTarget: Int] = [:]
    private var isTelling = false
    private static let toldAgain = Duration.seconds(1)
    /// What was published while nobody listened is found out so much later at most.
    private static let purgesLearned = Duration.seconds(10)

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

    /// What a lock is marked with: that two processes choose the same for one key at one time is not to be expected.
    func makeToken() -> Int { Int(truncatingIfNeeded: random.next() ^ lockMark) }

    // MARK: Redis

    /// To be called when a configuration brings another client, or none.
    func adopt(_ client: RedisClient?) {
        if client === redis { return }
        redis = client
        purgesLearnedAt = nil
    }

    func answers(_ settings: CacheSettings, _ cache: ResponseCache) -> RedisCache? {
        guard settings.usesRedis, let redis else { return nil }
        return RedisCache(redis, settings.codec, .answers, cache)
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

    /// Whether it is time to find out what was purged.
    var hasPurgesToLearn: Bool { purgesLearnedAt.map { loop.now - $0 >= Self.purgesLearned } ?? true }

    /// To be called before anything is looked up: only the first waits for what was purged before.
    func learnPurges(_ level: RedisCache) async {
        if !hasPurgesToLearn { return }
        let last = purgesLearnedAt
        purgesLearnedAt = loop.now
        if last != nil { return loop.spawn { await level.learnPurges() } }
        level.followPurges()
        await level.learnPurges()
    }
}
