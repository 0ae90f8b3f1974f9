internal import SluiceConfig
internal import SluiceCore
internal import SluiceHTTP
internal import SluiceNet
internal import SluiceProviders
internal import SluiceUpstream

/// Sends to one receiver: one message at a time in their order, again after a while where sending failed, and no more memory than
/// was allowed. Lives on the loop of telemetry, which is never a worker's: a receiver that is dead, slow or out of its mind costs
/// requests nothing.
final class TelemetrySender: TimerTarget {
    /// What came of a message.
    enum Verdict: Equatable {
        /// 2xx.
        case accepted(refusedItems: Int)
        /// A status that sending it again would not change.
        case refused(String)
        /// No answer, or one that says "later".
        case failed(String, asked: Duration?)
    }

    /// Of a reply, beyond which it is not read.
    static let replyByteCountMax = 65_536

    let receiver: TelemetryReceiver
    let status: TelemetryStatus
    private let scope: TelemetryScope
    private let pool: ConnectionPool
    private var queue: TelemetryQueue
    private var backoff: TelemetryBackoff
    private var timer: LoopTimer?
    private var isSending = false
    private var isFinishing = false
    private var hasToldOfSize = false
    /// Told when nothing is under way any more.
    private var whenQuiet: Waiter<Void>?

    /// To be called on the loop of telemetry, as everything else of it.
    init(_ receiver: TelemetryReceiver, _ scope: TelemetryScope) {
        self.receiver = receiver
        self.scope = scope
        status = scope.statuses[receiver.name]
        pool = ConnectionPool(endpoint: receiver.endpoint, loop: scope.loop, resolver: scope.resolver)
        queue = TelemetryQueue(byteCountMax: receiver.configuration.queueByteCountMax)
        backoff = TelemetryBackoff(longest: receiver.configuration.backoffMax, seed: scope.makeSeed())
    }

    /// Puts a message into the queue, and sends it as soon as those before it are.
    func send(_ message: TelemetryMessage) {
        let (dropped, _) = queue.add(message, isFirstUnderWay: isSending)
        let items = dropped.reduce(0) { $0 + $1.itemCount }
        let waiting = queue.byteCount
        status.change { counts in
            counts.droppedFull += items
            counts.waitingBytes = waiting
        }
        if message.body.count > receiver.configuration.queueByteCountMax { noteTooLarge(message) }
        pump()
    }

    /// Whether something for this place has not been sent yet.
    func isWaiting(for target: String) -> Bool { queue.messages.contains { $0.target == target } }

    /// Sends what waits, each once and without a pause, and whatever cannot be sent by then is dropped. The sender is of no use
    /// afterwards.
    func finish(by deadline: Instant) async {
        isFinishing = true
        if let timer { scope.loop.remove(timer) }
        timer = nil
        if isSending {
            let waiter = Waiter<Void>()
            whenQuiet = waiter
            await waiter.wait()
        }
        while let message = queue.first, scope.loop.now < deadline {
            let verdict = await attempt(message, by: deadline)
            settle(message, verdict)
            if case .failed = verdict { break }
        }
        let left = queue.messages.reduce(0) { $0 + $1.itemCount }
        status.change { $0.droppedAtExit += left }
        pool.drain()
    }

    /// Sends one message past the queue, once. To be called when everything else is finished.
    func sendNow(_ message: TelemetryMessage, by deadline: Instant) async {
        let verdict = await attempt(message, by: deadline)
        note(verdict, message)
        pool.drain()
    }

    // MARK: The queue

    private func pump() {
        if isSending || isFinishing { return }
        guard let message = queue.first else { return }
        if let until = backoff.until, scope.loop.now < until { return arm(until) }
        isSending = true
        scope.loop.spawn { [self] in
            let deadline = EventLoop.readClock() + receiver.configuration.timeout
            settle(message, await attempt(message, by: deadline))
            isSending = false
            whenQuiet?.fulfil(())
            pump()
        }
    }

    private func arm(_ until: Instant) {
        let timer = timer ?? LoopTimer(target: self)
        self.timer = timer
        scope.loop.arm(timer, at: until)
    }

    func timerFired(_ timer: LoopTimer) { pump() }

    private func settle(_ message: TelemetryMessage, _ verdict: Verdict) {
        if case .failed(_, let asked) = verdict {
            backoff.fail(at: EventLoop.readClock(), asked: asked)
        } else {
            // Who refuses is there.
            backoff.succeed()
            queue.removeFirst()
        }
        note(verdict, message)
    }

    private func note(_ verdict: Verdict, _ message: TelemetryMessage) {
        TelemetryLog(scope.events, receiver).note(
            verdict, message, waitingBytes: queue.byteCount, status, at: EventLoop.readClock())
    }

    /// It will be no smaller the next time: that is told, or nobody would know why nothing comes. Once.
    private func noteTooLarge(_ message: TelemetryMessage) {
        if hasToldOfSize { return }
        hasToldOfSize = true
        TelemetryLog(scope.events, receiver).noteTooLarge(message.body.count, status)
    }

    // MARK: One message

    private func attempt(_ message: TelemetryMessage, by deadline: Instant) async -> Verdict {
        let start = EventLoop.readClock()
        let left = max(min(deadline, start + receiver.configuration.timeout) - start, .zero)
        let deadlines = Deadlines(connect: left, head: left, idle: left, total: start + left)
        let request = receiver.request(message)
        let verdict: Verdict
        do throws(UpstreamError) {
            verdict = try await exchange(request, message, deadlines, fresh: false)
        } catch {
            verdict = .failed(error.detail, asked: nil)
        }
        let duration = EventLoop.readClock() - start
        status.change { $0.lastDuration = duration }
        return verdict
    }

    private func exchange(
        _ request: UpstreamRequest, _ message: TelemetryMessage, _ deadlines: Deadlines, fresh: Bool
    ) async throws(UpstreamError) -> Verdict {
        let exchange = try await pool.send(request, deadlines: deadlines, fresh: fresh)
        let head: ResponseHead
        do throws(UpstreamError) {
            head = try await exchange.responseHead()
        } catch {
            // It was closed while nobody used it: that is no failure of the receiver.
            if error.reason == .closedBeforeHead, exchange.isOnReusedConnection, !fresh {
                return try await self.exchange(request, message, deadlines, fresh: true)
            }
            throw error
        }
        // Of a reply only the status counts for certain: a body that does not end is cut.
        var body: ByteBuffer?
        do throws(UpstreamError) {
            body = try await exchange.collect(atMost: Self.replyByteCountMax)
            if body == nil { exchange.cancel(UpstreamError(.cancelled, "its reply is too long")) }
        } catch {}
        return judge(head, body, message)
    }

    private func judge(_ head: ResponseHead, _ body: ByteBuffer?, _ message: TelemetryMessage) -> Verdict {
        let code = Int(head.status.code)
        switch code {
        case 200..<300: return .accepted(refusedItems: body.flatMap { message.refusedItems?($0.span) } ?? 0)
        case _ where message.laterStatuses?.contains(code) ?? (code == 408 || code == 429 || code >= 500):
            let now = Int(EventLoop.readWallClock() / 1_000_000)
            return .failed(describe(code, body), asked: RetryAfter.read(head.fields, nowMilliseconds: now))
        default: return .refused(describe(code, body))
        }
    }

    private func describe(_ code: Int, _ body: ByteBuffer?) -> String {
        guard let body, !body.isEmpty, !receiver.isSecret(in: body.span) else { return "it answered with status \(code)" }
        let excerpt = String(decoding: body.span.extracting(first: 256)).split(separator: "\n").first ?? ""
        return "it answered with status \(code): \(excerpt)"
    }
}
