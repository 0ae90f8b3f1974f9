internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders
internal import SluiceStorage

/// Answers from what is kept, and keeps what is answered.
enum Caching {
    // MARK: Recall

    enum Recall {
        /// The request has been answered.
        case answered
        /// Somebody may be asking the same, here or in another process: `wait`.
        case wait(CacheRequest, CacheTurn, CacheSettings)
        /// A provider is to be asked.
        case ask
    }

    /// Answers the request if there is something here to answer it with. The tape holds its document.
    static func recall(
        _ request: IncomingRequest, _ context: RequestContext, _ runtime: CacheRuntime, tape: JSONTape
    ) throws(Rejection) -> Recall {
        guard let settings = context.snapshot.cache, !context.plan.targets.isEmpty, case .json(let body) = request.body,
            let turn = turn(tape.root(over: body.span), context, settings, runtime)
        else { return .ask }
        context.cacheTurn = turn
        guard let wanted = turn.request else {
            context.snapshot.lasting.cache.counters.bypass()
            return .ask
        }
        if !wanted.wishes.refusesKept {
            switch look(wanted, turn, context) {
            case .answer(let entry, let state):
                try serve(entry, state, .memory, turn, context, runtime)
                return .answered
            case .wait: return .wait(wanted, turn, settings)
            case .ask: break
            }
        }
        missed(wanted, turn, context, settings, runtime)
        return .ask
    }

    /// Waits for the answer to a request like this one, or asks for both of them.
    ///
    /// - Returns: whether the request has been answered. If not, the tape holds its document again.
    static func wait(
        _ wanted: CacheRequest, _ turn: CacheTurn, _ settings: CacheSettings, _ request: IncomingRequest,
        _ context: RequestContext, _ runtime: CacheRuntime, tape: JSONTape
    ) async throws(Rejection) -> Bool {
        context.watchForAbandonment()
        let isAnswered = try await join(wanted, turn, context, settings, runtime)
        if isAnswered { return true }
        context.load(request, on: tape)
        missed(wanted, turn, context, settings, runtime)
        return false
    }

    private static func missed(
        _ wanted: CacheRequest, _ turn: CacheTurn, _ context: RequestContext, _ settings: CacheSettings,
        _ runtime: CacheRuntime
    ) {
        context.snapshot.lasting.cache.counters.missed()
        turn.state = .miss
        if !wanted.wishes.refusesKeeping { record(wanted, context, settings, runtime) }
    }

    /// - Returns: `nil` where nothing is cached at all.
    private static func turn(
        _ root: JSONValue, _ context: RequestContext, _ settings: CacheSettings, _ runtime: CacheRuntime
    ) -> CacheTurn? {
        guard let form = AnswerForm(context),
            let rule = settings.policy.rule(model: context.model, scene: context.scene)
        else { return nil }
        let wishes = wishes(context.exchange.head.fields)
        let traits = RequestTraits(root, form)
        let isWanted = traits.isDeterministic || rule.isNondeterministicCached || wishes.asksForCache
        guard isWanted, traits.isSelfContained, !(wishes.refusesKept && wishes.refusesKeeping),
            let key = runtime.keys.key(of: root, form, context, rule.scope, settings)
        else { return CacheTurn(.bypass, nil) }
        let turn = CacheTurn(.miss, CacheRequest(key: key, form: form, rule: rule, wishes: wishes))
        // A response that we stream has another name than the one that its provider keeps, and would not be found by it.
        if form == .response, context.isStream, root["store"]?.bool == false { turn.echo = ResponsesEcho(of: root) }
        return turn
    }

    private static func wishes(_ fields: HeaderFields) -> CacheWishes {
        var wishes = CacheWishes()
        var position = fields.index(of: .cacheControl)
        while let index = position {
            wishes.read(cacheControl: fields.value(at: index))
            position = fields.index(of: .cacheControl, from: index + 1)
        }
        for index in 0..<fields.count where fields.field(at: index) == .other {
            let name = fields.name(at: index)
            if !name.hasPrefix("x-sluice-cache") { continue }
            if name.equals("x-sluice-cache") { wishes.read(mode: fields.value(at: index)) }
            if name.equals("x-sluice-cache-ttl") { wishes.read(ttl: fields.value(at: index)) }
        }
        return wishes
    }

    enum Look {
        case answer(CacheEntry, CacheTurn.State)
        /// There is nothing, or nothing that is fresh: somebody may be asking.
        case wait
        /// There is nothing to wait for.
        case ask
    }

    static func look(_ wanted: CacheRequest, _ turn: CacheTurn, _ context: RequestContext) -> Look {
        let lasting = context.snapshot.lasting
        guard let entry = lasting.cache.memory.entry(wanted.key) else { return .wait }
        let now = context.exchange.loop.now
        let freshness = entry.lifetime.freshness(at: now)
        if entry.form == .nothing { return freshness == .fresh ? .ask : .wait }
        guard CachedReply.fits(entry, wanted.form, context) else { return freshness == .fresh ? .ask : .wait }
        if let ageMax = wanted.wishes.ageMax, entry.lifetime.age(at: now) > ageMax { return .wait }
        switch freshness {
        case .fresh: return .answer(entry, .hit)
        case .revalidating:
            // The first to come asks; it is the one who waits.
            turn.spare = entry
            if wanted.wishes.refusesKeeping || !lasting.flights.lead(wanted.key, content: wanted.key) {
                return .answer(entry, .stale)
            }
            turn.isLeader = true
            return .ask
        case .lastResort: turn.spare = entry
        case .over: lasting.cache.memory.remove(wanted.key)
        }
        return .wait
    }

    // MARK: Serving

    static func serve(
        _ entry: CacheEntry, _ state: CacheTurn.State, _ level: CacheTurn.Level?, _ turn: CacheTurn,
        _ context: RequestContext, _ runtime: CacheRuntime
    ) throws(Rejection) {
        turn.state = state
        turn.level = level
        turn.served = entry
        let counters = context.snapshot.lasting.cache.counters
        switch (state, level) {
        case (.stale, _): counters.servedStale()
        case (.hit, .redis): counters.hitRedis()
        case (.hit, _): counters.hitMemory()
        default: break
        }
        guard let form = turn.request?.form else { return }
        try CachedReply.send(entry, form, context, tape: runtime.tape)
    }

    // MARK: When a provider fails

    /// What is kept of the request's answer and no longer fresh, where the configuration says that it is better than a failure.
    package static func stale(for context: RequestContext) -> CacheEntry? {
        guard let turn = context.cacheTurn, let wanted = turn.request, !wanted.wishes.refusesKept else { return nil }
        let entry = turn.spare ?? context.snapshot.lasting.cache.memory.entry(wanted.key)
        guard let entry, entry.form != .failure, CachedReply.fits(entry, wanted.form, context),
            entry.lifetime.freshness(at: context.exchange.loop.now) != .over
        else { return nil }
        return entry
    }

    /// Answers with what is no longer fresh in place of a failure.
    ///
    /// - Returns: whether there was something.
    static func answersStale(_ rejection: Rejection, _ context: RequestContext, _ runtime: CacheRuntime) -> Bool {
        guard let turn = context.cacheTurn, !context.exchange.isHeadSent, !context.exchange.isAbandoned,
            rejection.mayPassLater, let entry = stale(for: context)
        else { return false }
        // What goes out now is not to be kept again.
        Recording.end(context)
        do throws(Rejection) {
            try serve(entry, .stale, .memory, turn, context, runtime)
            return true
        } catch {
            return false
        }
    }

    // MARK: Remember

    private static func record(
        _ wanted: CacheRequest, _ context: RequestContext, _ settings: CacheSettings, _ runtime: CacheRuntime
    ) {
        context.tenant = Identification.tenant(context)
        let limits = context.snapshot.limits
        let tape = runtime.tape
        let byteCountMax = settings.policy.entryByteCountMax
        Recording.begin(context, byteCountMax: byteCountMax) {
            StreamCollector(
                wanted.form, byteCountMax: byteCountMax, eventBytesMax: limits.eventBytesMax, tape: tape)
        }
    }

    /// Called once on every way out: keeps the answer, and tells those who wait.
    static func conclude(_ context: RequestContext, _ runtime: CacheRuntime, tape: JSONTape) {
        guard let turn = context.cacheTurn, let wanted = turn.request, let settings = context.snapshot.cache else {
            return
        }
        let lasting = context.snapshot.lasting
        defer { turn.lock?.release() }
        guard turn.served == nil || turn.isLeader else { return }
        var answer = KeptAnswer.none
        if let recording = context.recording, turn.served == nil {
            answer = KeptAnswer.make(of: recording, wanted, context, settings.policy, runtime, tape: tape)
        }
        switch answer {
        case .entry(let entry):
            lasting.cache.counters.store()
            lasting.cache.memory.store(entry, for: wanted.key)
            if let lock = turn.lock {
                lock.release(keeping: entry, for: wanted.key, time: runtime.time)
            } else {
                runtime.answers(settings, lasting.cache)?.store(
                    entry, for: wanted.key, now: runtime.loop.now, time: runtime.time)
            }
            if turn.isLeader { lasting.flights.land(wanted.key, entry) }
        case .unshareable:
            lasting.cache.counters.refuse()
            guard turn.isLeader else { return }
            lasting.cache.memory.store(KeptAnswer.marker(context, now: runtime.loop.now), for: wanted.key)
            lasting.flights.release(wanted.key)
        case .none: if turn.isLeader { lasting.flights.fail(wanted.key) }
        }
        turn.isLeader = false
    }
}
