internal import SluiceCore
internal import SluiceNet

/// One connection to a server: commands go out once a turn, replies come back in their order.
///
/// A command that has waited for too long is settled; its reply is dropped when it comes. What is held is bounded: by the number of
/// commands under way, by the bytes not sent, and by how late the oldest reply may be before the connection is given up.
final class RedisConnection: TransportDelegate, TimerTarget, Flushable {
    /// Whose health the calls count for; `nil` for a sentinel.
    private let node: RedisNode?
    private let transport: Transport
    private let reader = RedisReplyReader()
    private let inFlightMax: Int
    private let lagMax: Duration
    private var pending = RedisPending()
    private var timer: LoopTimer?
    private var isFlushAsked = false
    private var closesWhenIdle = false
    /// Told once that the connection has ended, and why.
    private var onEnd: ((String) -> Void)?
    /// Told that replies did not come in time, or that the server cannot serve.
    var onTrouble: (() -> Void)?
    /// Takes what comes without having been asked for, once there is a subscription.
    private var onMessage: ((RedisReply) -> Void)?
    private(set) var isOpen = true
    /// Deadlines missed since the last reply that came in time.
    private(set) var consecutiveTimeouts = 0
    private(set) var lastReply: Instant

    /// Bytes that wait to be sent. Commands are small; values of a cache are what fills this.
    private static let unsentByteCountMax = 8_388_608

    init(_ transport: Transport, node: RedisNode?, _ settings: RedisSettings, onEnd: @escaping (String) -> Void) {
        self.transport = transport
        self.node = node
        inFlightMax = settings.inFlightMax
        lagMax = settings.lagMax
        self.onEnd = onEnd
        lastReply = transport.loop.now
        timer = LoopTimer(target: self)
        transport.delegate = self
    }

    // MARK: Commands

    /// Sends a command whose reply is waited for.
    func call(_ command: RedisCommand, within: Duration) async throws(RedisUnavailable) -> RedisReply {
        let call = RedisCall()
        try send(command, call, within: within)
        return try await call.wait()
    }

    /// - Parameters:
    ///   - call: is settled with the reply, or when the time is over; `nil`: nobody waits.
    ///   - isAsking: the slot is on its way to this node (Redis cluster specification, "ASK redirection").
    ///   - isCounted: counts for the server's health.
    func send(
        _ command: RedisCommand, _ call: RedisCall?, within: Duration, isAsking: Bool = false, isCounted: Bool = true
    ) throws(RedisUnavailable) {
        if !isOpen || closesWhenIdle { throw RedisUnavailable(.notConnected) }
        if pending.count >= inFlightMax { throw RedisUnavailable(.refused("too many commands are under way")) }
        if transport.pendingByteCount + command.byteCount > Self.unsentByteCountMax {
            throw RedisUnavailable(.refused("too many bytes wait to be sent"))
        }
        if isAsking {
            enqueue(RedisCommand("ASKING"), RedisPending.Entry(call: nil, within: within, isCounted: false))
        }
        var entry = RedisPending.Entry(call: call, within: within, isCounted: isCounted)
        if call == nil, command.isScript { entry.script = RedisPending.Script(command) }
        enqueue(command, entry)
    }

    /// Sends a command whose reply comes as a message: of subscriptions.
    func sendUnanswered(_ command: RedisCommand) { write(command) }

    /// From here on everything that comes is a message.
    func listen(_ onMessage: @escaping (RedisReply) -> Void) { self.onMessage = onMessage }

    private func enqueue(_ command: RedisCommand, _ entry: RedisPending.Entry) {
        pending.append(entry)
        write(command)
        if isFlushAsked { return }
        isFlushAsked = true
        transport.loop.flushLater(self)
    }

    private func write(_ command: RedisCommand) {
        transport.write { queue in queue.write { command.write(to: $0) } }
    }

    /// The clocks of commands start when they are written, not when the turn that made them began.
    func flush() {
        isFlushAsked = false
        if !isOpen { return }
        let sent = pending.markSent(at: EventLoop.readClock())
        node?.sent(sent.counted)
        arm(sent.deadline)
    }

    // MARK: Deadlines

    private func arm(_ deadline: Instant) {
        guard let timer, deadline < timer.deadline else { return }
        transport.loop.arm(timer, at: deadline)
    }

    func timerFired(_ timer: LoopTimer) {
        let now = transport.loop.now
        let expired = pending.expire(at: now)
        if expired.counted > 0 {
            consecutiveTimeouts += expired.counted
            node?.timedOut(expired.counted, at: now)
        }
        for call in expired.calls { call.settle(.failure(RedisUnavailable(.timedOut))) }
        if expired.counted > 0 { onTrouble?() }
        if !isOpen { return }
        let oldest = pending.oldest
        if oldest == .distantFuture { return arm(expired.next) }
        let limit = oldest + lagMax
        if limit <= now { return end("no reply for \(Int(lagMax.milliseconds)) ms") }
        arm(min(expired.next, limit))
    }

    // MARK: Replies

    func transportReceived(_ bytes: Span<UInt8>) {
        lastReply = transport.loop.now
        var batch = RedisNode.Batch()
        do throws(RedisReplyReader.Malformed) {
            try reader.feed(bytes)
            while isOpen, let reply = try reader.next() { try deliver(reply, &batch) }
            report(batch)
        } catch {
            report(batch)
            return end(error.message)
        }
        if closesWhenIdle, pending.isEmpty { end("closed") }
    }

    private func deliver(_ reply: RedisReply, _ batch: inout RedisNode.Batch) throws(RedisReplyReader.Malformed) {
        if let onMessage { return onMessage(reply) }
        guard pending.unsentCount < pending.count, let entry = pending.take() else {
            throw RedisReplyReader.Malformed(message: "a reply to no command")
        }
        if entry.isExpired {
            if entry.isCounted { batch.late += 1 }
            return
        }
        if entry.isCounted {
            batch.note(lastReply - entry.sentAt)
            if case .error = reply, let kind = reply.errorKind {
                if kind == "NOSCRIPT", let script = entry.script { repeatWhole(script, entry.within) }
                note(kind, reply, &batch)
            }
        }
        entry.call?.settle(.success(reply))
    }

    /// Nobody waits for what a script does: it is sent whole from here.
    private func repeatWhole(_ script: RedisPending.Script, _ within: Duration) {
        guard let whole = script.command.whole else { return }
        do throws(RedisUnavailable) { try send(whole, nil, within: within) } catch { return }
    }

    /// An error is an answer; some of them say that the server cannot serve now.
    private func note(_ kind: Substring, _ reply: RedisReply, _ batch: inout RedisNode.Batch) {
        switch kind {
        case "NOSCRIPT", "MOVED", "ASK", "TRYAGAIN": return
        case "OOM": batch.full += 1
        case "LOADING", "MASTERDOWN", "CLUSTERDOWN", "BUSY": batch.unable += 1
        default: break
        }
        batch.errors += 1
        batch.lastError = reply.error ?? ""
    }

    private func report(_ batch: RedisNode.Batch) {
        if batch.answered > batch.unable { consecutiveTimeouts = 0 }
        if batch.answered + batch.late > 0 { node?.received(batch, at: lastReply) }
        if batch.unable > 0 { onTrouble?() }
    }

    /// It answers in time again.
    func notePassedProbe() { consecutiveTimeouts = 0 }

    // MARK: Ends

    func transportDrained() {}
    func transportEnded() { end("Redis closed the connection") }
    func transportFailed(_ error: TransportError) { end(error.text) }

    /// Closes at once: who waits is told.
    func close() { end("closed") }

    /// Closes when what was asked has been answered, or is too late.
    func closeWhenIdle() {
        if pending.isEmpty { return close() }
        closesWhenIdle = true
    }

    private func end(_ reason: String) {
        if !isOpen { return }
        isOpen = false
        transport.close()
        if let timer { transport.loop.remove(timer) }
        timer = nil
        onMessage = nil
        onTrouble = nil
        var lost: [RedisCall] = []
        var lostCount = 0
        while let entry = pending.take() {
            if entry.isCounted, !entry.isExpired { lostCount += 1 }
            if let call = entry.call { lost.append(call) }
        }
        if lostCount > 0 { node?.lost(lostCount, reason, at: transport.loop.now) }
        for call in lost { call.settle(.failure(RedisUnavailable(.notConnected))) }
        let told = onEnd
        onEnd = nil
        told?(reason)
    }
}
