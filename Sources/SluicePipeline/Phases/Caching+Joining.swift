internal import SluiceCore
internal import SluiceDownstream
internal import SluiceNet
internal import SluicePolicy
internal import SluiceStorage

/// Of many that ask the same, one is asked for all: in the process, and in the fleet.
extension Caching {
    // MARK: One asks for all

    /// - Returns: whether the request has been answered.
    static func join(
        _ wanted: CacheRequest, _ turn: CacheTurn, _ context: RequestContext, _ settings: CacheSettings,
        _ runtime: CacheRuntime
    ) async throws(Rejection) -> Bool {
        let flights = context.snapshot.lasting.flights
        // Who keeps nothing has nothing for the others.
        if wanted.wishes.refusesKeeping {
            return try await askRedis(wanted, turn, context, settings, runtime, locks: false)
        }
        // Most are the first of their kind.
        if flights.lead(wanted.key, content: wanted.key) { return try await lead(wanted, turn, context, settings, runtime) }
        let waiter = FlightWaiter(runtime.loop)
        switch flights.join(wanted.key, content: wanted.key, waiter) {
        case .conflict: return false
        case .leader: return try await lead(wanted, turn, context, settings, runtime)
        case .follower:
            let verdict = await waiter.verdict(within: settings.policy.joinWait, context) {
                flights.leave(wanted.key, waiter)
            }
            if case .lead = verdict {
                turn.isLeader = true
                // It goes to the next when this exchange is concluded.
                try context.checkEnding()
                return try await askRedis(wanted, turn, context, settings, runtime, locks: true)
            }
            try context.checkEnding()
            guard case .answer(let entry) = verdict, CachedReply.fits(entry, wanted.form, context) else { return false }
            context.snapshot.lasting.cache.counters.join()
            try serve(entry, .joined, turn.level, turn, context, runtime)
            return true
        }
    }

    private static func lead(
        _ wanted: CacheRequest, _ turn: CacheTurn, _ context: RequestContext, _ settings: CacheSettings,
        _ runtime: CacheRuntime
    ) async throws(Rejection) -> Bool {
        turn.isLeader = true
        // It may have landed between the look and now.
        if case .answer(let entry, let state) = look(wanted, turn, context) {
            land(entry, wanted, turn, context)
            try serve(entry, state, .memory, turn, context, runtime)
            return true
        }
        return try await askRedis(wanted, turn, context, settings, runtime, locks: true)
    }

    private static func land(
        _ entry: CacheEntry, _ wanted: CacheRequest, _ turn: CacheTurn, _ context: RequestContext
    ) {
        turn.isLeader = false
        context.snapshot.lasting.flights.land(wanted.key, entry)
    }

    // MARK: The second level

    /// How long after one look the next comes, while another process asks.
    private static let pollMin = Duration.milliseconds(20)
    private static let pollMax = Duration.milliseconds(200)

    private static func askRedis(
        _ wanted: CacheRequest, _ turn: CacheTurn, _ context: RequestContext, _ settings: CacheSettings,
        _ runtime: CacheRuntime, locks: Bool
    ) async throws(Rejection) -> Bool {
        let cache = context.snapshot.lasting.cache
        guard let redis = runtime.answers(settings, cache) else { return false }
        // Also while it is away: what is kept in memory meanwhile is purged once it is back, though nobody may ask it by then.
        if !runtime.hasLearntPurges { await runtime.learnPurges(redis) }
        guard redis.isAvailable else { return false }
        if !locks {
            let entry = await redis.entry(wanted.key, now: runtime.loop.now, time: runtime.time)
            if let entry, try take(entry, wanted, turn, context, runtime) { return true }
            try context.checkEnding()
            return false
        }
        let deadline = runtime.loop.now + settings.policy.fleetWait
        var pause = pollMin
        while true {
            var locking = RedisCache.Locking.unavailable
            let token = runtime.makeToken(context.snapshot.lasting)
            switch await redis.find(
                wanted.key, token: token, lease: LockKeeper.lease, now: runtime.loop.now, time: runtime.time)
            {
            case .none(let outcome): locking = outcome
            case .entry(let entry):
                if try take(entry, wanted, turn, context, runtime) { return true }
                if context.ending == nil { locking = await redis.lock(wanted.key, token: token, lease: LockKeeper.lease) }
            }
            turn.lock = LockKeeper(locking, redis, runtime.loop)
            guard case .taken = locking, context.ending == nil, runtime.loop.now < deadline else { break }
            await context.pause(pause)
            pause = min(pause * 2, pollMax)
        }
        try context.checkEnding()
        return false
    }

    /// - Returns: whether it answers the request.
    private static func take(
        _ entry: CacheEntry, _ wanted: CacheRequest, _ turn: CacheTurn, _ context: RequestContext,
        _ runtime: CacheRuntime
    ) throws(Rejection) -> Bool {
        guard CachedReply.fits(entry, wanted.form, context) else { return false }
        let now = runtime.loop.now
        let freshness = entry.lifetime.freshness(at: now)
        if freshness == .over { return false }
        let cache = context.snapshot.lasting.cache
        cache.memory.store(entry, for: wanted.key)
        if let ageMax = wanted.wishes.ageMax, entry.lifetime.age(at: now) > ageMax { return false }
        guard freshness == .fresh else {
            turn.spare = entry
            return false
        }
        if turn.isLeader { land(entry, wanted, turn, context) }
        if !context.exchange.isAbandoned { try serve(entry, .hit, .redis, turn, context, runtime) }
        return true
    }
}
