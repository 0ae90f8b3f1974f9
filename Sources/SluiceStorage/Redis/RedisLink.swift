internal import SluiceCore
internal import SluiceNet

/// One worker's way to one server: a connection that is made again whenever it ends, set up, and watched.
///
/// Nothing here is waited for by a request: connections and probes are made in the background.
final class RedisLink: TimerTarget {
    private enum State {
        case idle, connecting
        case ready(RedisConnection)
        case waiting
        case closed
    }

    /// What the link tells its owner.
    enum Event { case ready, unreachable }

    let address: RedisAddress
    let node: RedisNode
    private let settings: RedisSettings
    private let loop: EventLoop
    private let resolver: Resolver
    private var random: SplitMix64
    private var state = State.idle
    private var timer: LoopTimer?
    private var attempts = 0
    private var readySince = Instant.distantFuture
    private var isProbing = false
    private var waiters: [ReadyWaiter] = []
    /// A master is asked for its role: what was told about it may be out of date.
    private let requiresMaster: Bool
    var onEvent: ((Event) -> Void)?

    /// The time from one attempt to the next: doubled each time up to `max`, with jitter of a half.
    private static let backoff = (first: Duration.milliseconds(25), max: Duration.milliseconds(400))
    /// A connection that has lasted for so long was a good one.
    private static let steady = Duration.seconds(1)
    /// A connection that nothing was heard of for so long is probed, so that no request finds out that it is dead.
    private static let idleProbe = Duration.seconds(5)

    init(
        _ address: RedisAddress, node: RedisNode, _ settings: RedisSettings, loop: EventLoop, resolver: Resolver,
        seed: UInt64, requiresMaster: Bool = false
    ) {
        self.address = address
        self.node = node
        self.settings = settings
        self.loop = loop
        self.resolver = resolver
        self.requiresMaster = requiresMaster
        random = SplitMix64(seed)
        node.enter(settings.breaker)
        timer = LoopTimer(target: self)
    }

    // MARK: Use

    /// Whether a command would be sent now.
    var isAvailable: Bool {
        if case .ready(let connection) = state, !node.isOpen, !isStalled(connection) { true } else { false }
    }

    /// A connection of its own that has gone silent is left alone though others work.
    private func isStalled(_ connection: RedisConnection) -> Bool {
        connection.consecutiveTimeouts >= settings.breaker.failuresMax
    }

    /// The connection to send a command on.
    private func connection() throws(RedisUnavailable) -> RedisConnection {
        guard case .ready(let connection) = state else { throw RedisUnavailable(.notConnected) }
        if node.isOpen || isStalled(connection) {
            probeSoon()
            throw RedisUnavailable(.breakerOpen)
        }
        return connection
    }

    /// Sends a command; its reply is what is waited for.
    func start(
        _ command: RedisCommand, within: Duration, isAsking: Bool = false
    ) throws(RedisUnavailable) -> RedisCall {
        let call = RedisCall()
        try send(command, call, within: within, isAsking: isAsking)
        return call
    }

    /// Sends a command whose reply nobody waits for, or drops it.
    func post(_ command: RedisCommand, within: Duration) {
        do throws(RedisUnavailable) { try send(command, nil, within: within) } catch { return }
    }

    private func send(
        _ command: RedisCommand, _ call: RedisCall?, within: Duration, isAsking: Bool = false
    ) throws(RedisUnavailable) {
        do throws(RedisUnavailable) {
            try connection().send(command, call, within: within, isAsking: isAsking)
        } catch {
            node.refuse()
            throw error
        }
    }

    private final class ReadyWaiter: TimerTarget {
        let waiter = Waiter<Bool>()
        func timerFired(_ timer: LoopTimer) { waiter.fulfil(false) }
    }

    private static let waitersMax = 1024

    /// Waits for a connection: only for a server that was just heard of.
    func becomesReady(by deadline: Instant) async -> Bool {
        start()
        if case .ready = state { return true }
        if waiters.count >= Self.waitersMax { return false }
        let place = ReadyWaiter()
        waiters.append(place)
        let timer = LoopTimer(target: place)
        loop.arm(timer, at: deadline)
        let isReady = await place.waiter.wait()
        loop.remove(timer)
        waiters.removeAll { $0 === place }
        return isReady
    }

    // MARK: Connecting

    func start() { if case .idle = state { connect() } }

    private func connect() {
        state = .connecting
        loop.spawn { [self] in await run() }
    }

    private func run() async {
        let start = loop.now
        do throws(RedisUnavailable) {
            let connection = try await open(by: start + settings.connect)
            if case .closed = state { return connection.close() }
            succeeded(connection)
        } catch {
            if case .closed = state { return }
            let reason = if case .refused(let why) = error.reason { why } else { "no reply while connecting" }
            node.unreachable(reason, since: start, at: loop.now)
            retry()
            onEvent?(.unreachable)
        }
    }

    private func open(by deadline: Instant) async throws(RedisUnavailable) -> RedisConnection {
        let transport = try await RedisDial.open(
            address, tls: settings.tls, by: deadline, on: loop, resolver: resolver)
        var ended: String?
        var owner: RedisLink? = self
        let connection = RedisConnection(transport, node: node, settings) { reason in
            ended = reason
            owner?.ended()
            owner = nil
        }
        do throws(RedisUnavailable) {
            let setup = RedisSetup(settings, requiresMaster: requiresMaster)
            let findings = try await setup.run(on: connection, by: deadline, now: EventLoop.readClock())
            node.foundScripts(refusedBecause: findings.scriptsRefusal)
            return connection
        } catch {
            let reason = ended
            connection.close()
            if error.reason == .notConnected, let reason { throw RedisUnavailable(.refused(reason)) }
            throw error
        }
    }

    private func succeeded(_ connection: RedisConnection) {
        if !connection.isOpen { return retry() }
        state = .ready(connection)
        readySince = loop.now
        connection.onTrouble = { [weak self] in self?.probeSoon() }
        node.connected()
        for place in waiters { place.waiter.fulfil(true) }
        if node.isOpen { probe() } else { armProbe() }
        onEvent?(.ready)
    }

    /// A connection that was ready has ended. The first attempt to make it again comes soon, and decides what is made of it.
    private func ended() {
        guard case .ready = state else { return }
        node.disconnected()
        isProbing = false
        // One that ends as soon as it is made is not made again and again at full speed.
        if loop.now - readySince > Self.steady { attempts = 0 }
        retry()
    }

    private func retry() {
        state = .waiting
        let base = min(Self.backoff.first * (1 << min(attempts, 10)), Self.backoff.max)
        attempts += 1
        arm(base)
    }

    /// - Parameter duration: the longest wait; the shortest is half of it.
    private func arm(_ duration: Duration) {
        guard let timer else { return }
        timer.disarm()
        loop.arm(
            timer,
            after: .nanoseconds(Int64.random(in: duration.nanoseconds / 2...duration.nanoseconds, using: &random)))
    }

    // MARK: Probing

    func timerFired(_ timer: LoopTimer) {
        switch state {
        case .waiting: connect()
        case .ready(let connection):
            let isQuiet = loop.now - connection.lastReply >= Self.idleProbe / 2
            if node.isOpen || isStalled(connection) || isQuiet { probe() } else { armProbe() }
        case .idle, .connecting, .closed: break
        }
    }

    private func armProbe() {
        guard case .ready(let connection) = state else { return }
        arm(node.isOpen || isStalled(connection) ? settings.breaker.probeEvery * 4 / 3 : Self.idleProbe)
    }

    /// Probes at the rate of an open breaker, if that is what it is now: whether anybody asks in the meantime or not.
    private func probeSoon() {
        guard let timer, !isProbing, timer.deadline > loop.now + settings.breaker.probeEvery * 2 else { return }
        armProbe()
    }

    private func probe() {
        guard case .ready(let connection) = state, !isProbing else { return }
        isProbing = true
        let call = RedisCall { [weak self, weak connection] outcome in
            guard let self, let connection else { return }
            probed(outcome, on: connection)
        }
        do throws(RedisUnavailable) {
            try connection.send(RedisCommand("PING"), call, within: settings.timeout, isCounted: false)
        } catch {
            isProbing = false
            node.probed(false, at: loop.now)
            armProbe()
        }
    }

    private func probed(_ outcome: RedisCall.Outcome, on connection: RedisConnection) {
        guard case .ready(let current) = state, current === connection else { return }
        isProbing = false
        var hasPassed = false
        if case .success(let reply) = outcome { hasPassed = reply.error == nil }
        if hasPassed { connection.notePassedProbe() }
        node.probed(hasPassed, at: loop.now)
        armProbe()
    }

    // MARK: Closing

    /// Closes, at once or when what was asked has been answered.
    func close(atOnce: Bool = false) {
        if case .closed = state { return }
        let before = state
        state = .closed
        onEvent = nil
        if let timer { loop.remove(timer) }
        timer = nil
        for place in waiters { place.waiter.fulfil(false) }
        node.leave()
        if case .ready(let connection) = before {
            node.disconnected()
            if atOnce { connection.close() } else { connection.closeWhenIdle() }
        }
    }
}
