internal import SluiceConfig
internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluicePolicy
internal import SluiceStorage

/// Does the work of a request with an `Idempotency-Key` once: who asks again gets the reply of the first (theme 3.24).
///
/// Keys are the application's own, within its credential. What may well turn out otherwise another time is not kept: broken replies,
/// 408, 409, 429 and what is the provider's or the gateway's fault.
enum Idempotency {
    /// No SDK makes a longer one.
    private static let keyByteCountMax = 256
    private static let pause = Duration.milliseconds(50)

    /// - Returns: whether the request has been answered. If not, the tape holds the request's document still, or again.
    static func recall(
        _ request: IncomingRequest, _ context: RequestContext, _ runtime: CacheRuntime, tape: JSONTape
    ) async throws(Rejection) -> Bool {
        let fields = context.exchange.head.fields
        guard let settings = context.snapshot.idempotency, let index = fields.index(of: .idempotencyKey),
            context.exchange.head.method == .post, let body = body(request)
        else { return false }
        let name = fields.value(at: index)
        guard 1...keyByteCountMax ~= name.count else {
            throw Rejection(
                .caller, 400, code: "invalid_idempotency_key",
                "An Idempotency-Key has 1 to \(keyByteCountMax) bytes.")
        }
        guard let key = runtime.keys.key(idempotencyKey: name, context),
            let content = RequestKeys.content(body, context)
        else { return false }
        let turn = IdempotentTurn(key, content: content)
        context.idempotentTurn = turn
        if let entry = context.snapshot.lasting.cache.replies.entry(key), isFresh(entry, context) {
            try replay(entry, .replayed, turn, context)
            return true
        }
        context.watchForAbandonment()
        context.endPhase(.plan)
        let isAnswered = try await join(turn, context, settings, runtime)
        if isAnswered { return true }
        // It may have waited for another request's answer for as long as that took.
        context.beginPhase(at: EventLoop.readClock())
        context.load(request, on: tape)
        context.tenant = Identification.tenant(context)
        Recording.begin(verbatim: context, byteCountMax: settings.entryByteCountMax)
        return false
    }

    /// What a request says, if it was read whole: uploads that are passed on while they come are not.
    private static func body(_ request: IncomingRequest) -> ByteBuffer? {
        switch request.body {
        case .json(let body), .whole(let body): body
        case .none, .streamed: nil
        }
    }

    private static func isFresh(_ entry: CacheEntry, _ context: RequestContext) -> Bool {
        entry.lifetime.freshness(at: context.exchange.loop.now) == .fresh
    }

    // MARK: One does the work

    private static func join(
        _ turn: IdempotentTurn, _ context: RequestContext, _ settings: IdempotencySettings, _ runtime: CacheRuntime
    ) async throws(Rejection) -> Bool {
        let flights = context.snapshot.lasting.replyFlights
        let waiter = FlightWaiter(runtime.loop)
        switch flights.join(turn.key, content: turn.content, waiter) {
        case .conflict: throw conflict
        case .leader:
            turn.isLeader = true
            // It may have landed between the look and now.
            if let entry = context.snapshot.lasting.cache.replies.entry(turn.key), isFresh(entry, context) {
                turn.isLeader = false
                flights.land(turn.key, entry)
                try replay(entry, .replayed, turn, context)
                return true
            }
            return try await askRedis(turn, context, settings, runtime)
        case .follower:
            let verdict = await waiter.verdict(within: context.snapshot.timeouts.total, context) {
                flights.leave(turn.key, waiter)
            }
            if case .lead = verdict { turn.isLeader = true }
            try context.checkEnding()
            // Others than those who wait here may have taken it up when the first one failed.
            if turn.isLeader { return try await askRedis(turn, context, settings, runtime) }
            guard case .answer(let entry) = verdict else { throw inProgress }
            try replay(entry, .joined, turn, context)
            return true
        }
    }

    private static func askRedis(
        _ turn: IdempotentTurn, _ context: RequestContext, _ settings: IdempotencySettings, _ runtime: CacheRuntime
    ) async throws(Rejection) -> Bool {
        let lasting = context.snapshot.lasting
        guard let redis = runtime.replies(settings, lasting.cache), redis.isAvailable else { return false }
        let deadline = runtime.loop.now + context.snapshot.timeouts.total
        while context.ending == nil {
            var locking = RedisCache.Locking.unavailable
            let token = runtime.makeToken(context.snapshot.lasting)
            switch await redis.find(
                turn.key, token: token, lease: LockKeeper.lease, now: runtime.loop.now, time: runtime.time)
            {
            case .none(let outcome): locking = outcome
            case .entry(let entry):
                if isFresh(entry, context) { return try replay(kept: entry, turn, context) }
                locking = await redis.lock(turn.key, token: token, lease: LockKeeper.lease)
            }
            turn.lock = LockKeeper(locking, redis, runtime.loop)
            guard case .taken = locking else { return false }
            if runtime.loop.now >= deadline { throw inProgress }
            await context.pause(pause)
        }
        try context.checkEnding()
        return false
    }

    private static func replay(
        kept entry: CacheEntry, _ turn: IdempotentTurn, _ context: RequestContext
    ) throws(Rejection) -> Bool {
        let lasting = context.snapshot.lasting
        lasting.cache.replies.store(entry, for: turn.key)
        lasting.replyFlights.land(turn.key, entry)
        turn.isLeader = false
        try context.checkEnding()
        try replay(entry, .replayed, turn, context)
        return true
    }

    // MARK: Replies

    private static func replay(
        _ entry: CacheEntry, _ state: IdempotentTurn.State, _ turn: IdempotentTurn, _ context: RequestContext
    ) throws(Rejection) {
        if entry.content != turn.content { throw conflict }
        if entry.form == .nothing {
            throw Rejection(
                .caller, 409, code: "idempotency_not_replayable",
                "The request under this Idempotency-Key has been answered, and its reply was too long to be kept.")
        }
        turn.state = state
        var fields = HeaderFields(reservingBytes: 256, fields: 6)
        for field in entry.fields { fields.append(name: field.name.utf8Span.span, value: field.value.utf8Span.span) }
        context.appendRequestID(to: &fields)
        let body = entry.body
        context.status = Status(entry.status)
        context.firstByteAt = context.exchange.loop.now
        let head = ResponseHead(Status(entry.status), fields: fields)
        // A stream looks like one again.
        context.exchange.sendHead(head, body: Relaying.isEventStream(head) ? .unknown : .known(body.count))
        context.exchange.send(sharing: body)
        context.exchange.finish()
    }

    private static let conflict = Rejection(
        .caller, 409, code: "idempotency_conflict",
        "Another request was made under this Idempotency-Key. Use a new key for a new request.")
    private static let inProgress = Rejection(
        .caller, 409, code: "idempotency_in_progress",
        "The request under this Idempotency-Key is under way, and its reply cannot be waited for any longer.",
        isRetryable: true)

    // MARK: Remember

    /// Called once on every way out: keeps the reply, and tells those who wait.
    static func conclude(_ context: RequestContext, _ runtime: CacheRuntime) {
        guard let turn = context.idempotentTurn, turn.isLeader, let settings = context.snapshot.idempotency else {
            return
        }
        turn.isLeader = false
        let lasting = context.snapshot.lasting
        defer { turn.lock?.release() }
        guard let entry = entry(turn, context, settings) else { return lasting.replyFlights.fail(turn.key) }
        lasting.cache.replies.store(entry, for: turn.key)
        if let lock = turn.lock {
            lock.release(keeping: entry, for: turn.key, time: runtime.time)
        } else {
            runtime.replies(settings, lasting.cache)?.store(
                entry, for: turn.key, now: runtime.loop.now, time: runtime.time)
        }
        lasting.replyFlights.land(turn.key, entry)
    }

    private static func entry(
        _ turn: IdempotentTurn, _ context: RequestContext, _ settings: IdempotencySettings
    ) -> CacheEntry? {
        guard let recording = context.recording, recording.isComplete, context.rejection?.isRetryable != true,
            isFinal(recording.status), !recording.status.isSuccess || context.outcome == .complete
        else { return nil }
        let lifetime = Lifetime(createdAt: context.exchange.loop.now, ttl: settings.ttl)
        let labels = CacheEntry.Labels(model: context.model, scene: context.scene ?? "", tenant: context.tenant)
        guard let body = recording.body else {
            return CacheEntry(.nothing, ByteBuffer(capacity: 16), lifetime, labels: labels, content: turn.content)
        }
        return CacheEntry(
            .verbatim, body, lifetime, status: recording.status.code, fields: recording.fields, labels: labels,
            content: turn.content)
    }

    /// Whether the same would come again: a key that is refused may be replaced, and everything else may pass.
    private static func isFinal(_ status: Status) -> Bool {
        if status.isSuccess { return true }
        return [400, 404, 413, 415, 422].contains(status.code)
    }
}
