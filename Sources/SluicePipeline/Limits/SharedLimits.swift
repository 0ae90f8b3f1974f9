internal import SluiceCore
internal import SluiceNet
internal import SluicePolicy
internal import SluiceStorage

/// One worker's talk with Redis about limits that are shared with other processes.
final class SharedLimits: TimerTarget {
    private let loop: EventLoop
    private let log: LogQueue
    /// `nil` where no Redis is configured.
    var redis: RedisClient?
    /// Budgets of which Redis has not heard yet.
    private var untold: [LimitHold.SharedPlace] = []
    private var timer: LoopTimer?
    private static let untoldMax = 10_000
    private static let tellAgainAfter = Duration.seconds(1)

    init(loop: EventLoop, log: LogQueue) {
        self.loop = loop
        self.log = log
    }

    var isAvailable: Bool { redis.map { $0.isAvailable && $0.supportsScripts } ?? false }

    // MARK: Leases

    /// Asks for units of a bucket.
    ///
    /// - Returns: `nil` if Redis did not answer in time, or not as it should.
    func lease(_ place: LimitHold.SharedPlace, _ question: LeaseQuestion) async -> LeaseReply? {
        guard let redis, isAvailable else { return nil }
        let rule = place.rule
        let arguments = [
            "\(rule.period.nanoseconds / 1000)", "\(rule.meter.limit)", "\(rule.meter.burst)", "\(question.least)",
            "\(question.most)", rule.meter.kind == .leakyBucket ? "leaky" : "token",
        ]
        do throws(RedisUnavailable) {
            let reply = try await redis.run(
                LimitScripts.lease, key: redis.key(place.bucket.name), arguments)
            return LeaseReply(reply.array?.map(\.integer) ?? [], to: question, of: rule)
        } catch {
            return nil
        }
    }

    /// Takes more of a bucket before what is there has been used up; nobody waits for it.
    func renew(_ place: LimitHold.SharedPlace, _ question: LeaseQuestion) {
        loop.spawn { [self] in
            if let reply = await lease(place, question) {
                place.renewed(reply, to: question, at: loop.now)
            } else {
                place.failed(question)
            }
        }
    }

    /// Tells Redis what requests have really used, where it was not what they had taken. Nobody waits for it.
    private func settle(_ place: LimitHold.SharedPlace) {
        let owed = place.takeOwed()
        if owed == 0 { return }
        guard let redis, isAvailable else { return place.couldNotTell(owed) }
        loop.spawn {
            let arguments = ["\(place.rule.period.nanoseconds / 1000)", "\(place.rule.meter.limit)", "\(owed)"]
            do throws(RedisUnavailable) {
                let reply = try await redis.run(
                    LimitScripts.settle, key: redis.key(place.bucket.name), arguments)
                if reply.integer == nil { place.couldNotTell(owed) }
            } catch {
                place.couldNotTell(owed)
            }
        }
    }

    /// Tells Redis what became of what was taken.
    func tell(_ hold: LimitHold) {
        hold.forEachSharedRate(settle)
        hold.forEachSharedBudget(sync)
    }

    // MARK: Budgets

    /// Nobody waits for it.
    func sync(_ place: LimitHold.SharedPlace) {
        guard let push = place.nextPush(at: time) else { return }
        loop.spawn { [self] in
            if await tell(push, of: place) {
                // Others may have spent in the meantime, and found that somebody was telling already.
                if place.bucket.isUntold { sync(place) }
            } else {
                tellLater(place)
            }
        }
    }

    /// Learns what has been spent of a budget; no longer than Redis may take.
    func learn(_ place: LimitHold.SharedPlace) async {
        guard isAvailable, let push = place.nextPush(at: time) else { return }
        _ = await tell(push, of: place)
    }

    private func tell(_ push: SharedBucket.Push, of place: LimitHold.SharedPlace) async -> Bool {
        guard let redis, isAvailable else {
            place.pushFailed()
            return false
        }
        // Kept for a while after its period: whoever is late still finds it.
        let seconds = place.rule.budgetSecondsMax * 2
        let arguments = ["\(push.amount)", "\(push.sequence)", place.bucket.writer, "\(seconds)"]
        do throws(RedisUnavailable) {
            let reply = try await redis.run(
                LimitScripts.spend, key: redis.key(place.name(of: push)), arguments)
            if let total = reply.integer {
                place.confirmed(push, total: total, at: time, marked: log)
                return true
            }
        } catch {
            // It is sent again as it is, and counted once.
        }
        place.pushFailed()
        return false
    }

    private func log(_ rule: LimitRule, _ percent: Int, _ values: [String]) {
        log.event(.warn, "budget has reached a mark") { LimitEvents.write(rule, percent, values, $0) }
    }

    private func tellLater(_ place: LimitHold.SharedPlace) {
        if untold.count < Self.untoldMax { untold.append(place) }
        if timer != nil { return }
        let timer = LoopTimer(target: self)
        self.timer = timer
        loop.arm(timer, after: Self.tellAgainAfter)
    }

    func timerFired(_ timer: LoopTimer) {
        self.timer = nil
        let places = untold
        untold = []
        if isAvailable {
            for place in places { sync(place) }
        } else {
            for place in places { tellLater(place) }
        }
    }

    private var time: LimitTime {
        LimitTime(now: loop.now, wallSeconds: loop.wallSeconds)
    }

    // MARK: News

    /// Says once that limits are decided without Redis, and once that they are not any more.
    func note(isLocal: Bool, _ limits: LimitTable) {
        if isLocal {
            if limits.decidedAlone(at: loop.now) { log.event(.warn, "limits are local now") }
        } else if limits.isLocal, limits.decidedTogether(at: loop.now) {
            log.event(.info, "limits are shared again")
        }
    }
}

/// What Redis does with limits, each as one atomic step.
///
/// Time is that of Redis: the processes' clocks need not agree.
enum LimitScripts {
    /// Takes units of a bucket: at least `ARGV[4]`, at most `ARGV[5]`. A period of `ARGV[1]` microseconds gives `ARGV[2]`, and
    /// `ARGV[3]` are the most at once. What is kept is when the bucket will be full again, in microseconds.
    ///
    /// - Returns: units granted, units left, and in microseconds: until it is full again, until there is enough.
    static let lease = RedisScript(
        """
        local t = redis.call('TIME')
        local now = t[1] * 1000000 + t[2]
        local each = ARGV[1] / ARGV[2]
        local capacity = ARGV[3] * each
        local least, most = tonumber(ARGV[4]), tonumber(ARGV[5])
        local full = tonumber(redis.call('GET', KEYS[1]) or '0')
        if full < now then full = now end
        local free = math.max(0, math.floor((now + capacity - full) / each + 0.000001))
        local granted, missing
        if ARGV[6] == 'leaky' then
          missing = full - now - (capacity - each)
          granted = least
        else
          missing = full + least * each - now - capacity
          granted = math.max(least, math.min(most, free))
          if free >= least then missing = 0 end
        end
        if missing > 0.5 then return {0, free, math.ceil(full - now), math.ceil(missing)} end
        full = full + granted * each
        redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil((full - now) / 1000) + 1000)
        free = math.max(0, math.floor((now + capacity - full) / each + 0.000001))
        return {granted, free, math.ceil(full - now), 0}
        """)

    /// Charges `ARGV[3]` units, whether they are there or not, or gives them back if it is negative; the rest as in `lease`.
    static let settle = RedisScript(
        """
        local t = redis.call('TIME')
        local now = t[1] * 1000000 + t[2]
        local full = tonumber(redis.call('GET', KEYS[1]) or '0')
        if full < now then full = now end
        full = math.min(full + ARGV[3] * (ARGV[1] / ARGV[2]), now + 31536000000000)
        if full <= now then return redis.call('DEL', KEYS[1]) end
        redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil((full - now) / 1000) + 1000)
        return 1
        """)

    /// Adds `ARGV[1]` to what was spent, unless the writer `ARGV[3]` has said so before: its numbers `ARGV[2]` count up.
    ///
    /// - Returns: what has been spent by all.
    static let spend = RedisScript(
        """
        if tonumber(ARGV[2]) > tonumber(redis.call('HGET', KEYS[1], ARGV[3]) or '0') then
          redis.call('HINCRBY', KEYS[1], 'spent', ARGV[1])
          redis.call('HSET', KEYS[1], ARGV[3], ARGV[2])
          redis.call('EXPIRE', KEYS[1], ARGV[4])
        end
        return tonumber(redis.call('HGET', KEYS[1], 'spent') or '0')
        """)
}
