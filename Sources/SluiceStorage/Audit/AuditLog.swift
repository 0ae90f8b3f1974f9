internal import Glibc
internal import SluiceCore
internal import SluiceNet
package import SluiceTLS
internal import Synchronization

/// Writes down who did what, on a thread of its own: nobody else waits for the disk. Without a directory it does
/// nothing.
///
/// Refused access is sampled when there is much of it. Anything else is written, or whoever asked is told that it is
/// not.
package final class AuditLog: Sendable {
    package struct Settings: Sendable, Equatable {
        package var directory: String
        package var fileByteCountMax = 67_108_864
        /// 0: all.
        package var filesMax = 0
        /// Refusals written one by one; the rest are counted.
        package var refusedPerSecond = 10

        package init(directory: String) { self.directory = directory }
    }

    /// How it is.
    package struct Snapshot: Sendable, Equatable {
        package var isOn = false
        package var isAuthenticated = false
        /// Where it ends on the disk.
        package var head: AuditHead?
        package var queued = 0
        /// Events that were lost; never changes.
        package var lost = 0
        /// Why nothing is being written; `nil` if all is well.
        package var failure: String?
    }

    package enum Notice: Sendable {
        case failing(reason: String)
        case recovered
        case reached(AuditHead)
    }

    private struct Entry: Sendable {
        var event: AuditEvent
        let time: Int64
        let since: Instant
        /// Whether a change waits for this to be on the disk, and does not happen if it is not.
        var isAwaited = false
        /// Told whether it is.
        var done: (@Sendable (Bool) -> Void)?
    }

    private struct State {
        var settings: Settings?
        var key: AuditKey?
        var queue: [Entry] = []
        var isWorking = false
        var sampler = RefusalSampler(perSecond: 10)
        var snapshot = Snapshot()
        var lostUnsaid = 0
        var handler: (@Sendable (Notice) -> Void)?
    }

    /// Events that wait: beyond half of it refusals are lost, beyond all of it everything is refused.
    private static let queueMax = 8192
    private static let batchMax = 512
    private static let retryMicroseconds: UInt32 = 250_000
    /// How long a change waits for the disk.
    package static let patience = Duration.seconds(5)
    /// The end of the process waits for the last lines for so many looks, a second in all.
    private static let finishLooksMax = 500
    private static let finishLookMicroseconds: UInt32 = 2000

    private let state = Mutex(State())

    package init() {}

    package var snapshot: Snapshot {
        state.withLock { state in
            var snapshot = state.snapshot
            snapshot.queued = state.queue.count
            return snapshot
        }
    }

    /// Where it is; `nil` if there is none.
    package var directory: String? { state.withLock { $0.settings?.directory } }

    package func onNotice(_ handler: @escaping @Sendable (Notice) -> Void) { state.withLock { $0.handler = handler } }

    /// Begins to write.
    ///
    /// - Throws: a key that does not open, or cannot be stored. A directory that cannot be written to is a failure that
    ///   may pass.
    package func start(_ settings: Settings, _ vault: SecretVault) throws(AuditKey.Unusable) {
        do throws(SystemError) {
            _ = try AuditWriter(settings.directory, key: nil, limits: .init())
        } catch {
            throw .system(path: settings.directory, error)
        }
        let key = try AuditKey.load(settings.directory, vault)
        state.withLock { state in
            state.settings = settings
            state.key = key
            state.sampler = RefusalSampler(perSecond: settings.refusedPerSecond)
            state.snapshot.isOn = true
            state.snapshot.isAuthenticated = key != nil
        }
    }

    // MARK: Events

    /// Notes an event; never waits.
    ///
    /// - Returns: whether it will be written. `true` if nothing is.
    @discardableResult package func append(_ event: AuditEvent) -> Bool { add([event], done: nil) }

    /// Notes events and waits until they are on the disk: before a change that must not happen unseen.
    ///
    /// - Returns: `false` if they cannot be written now; they will not be written later, and the change must not be
    ///   made.
    package func record(_ events: [AuditEvent]) async -> Bool {
        if events.isEmpty { return true }
        return await withCheckedContinuation { continuation in
            if !add(events, done: { continuation.resume(returning: $0) }) { continuation.resume(returning: false) }
        }
    }

    /// Notes a refusal. When there are many, most are only counted.
    package func refused(_ event: AuditEvent) {
        let (now, time) = (EventLoop.readClock(), EventLoop.readWallClock())
        let needsThread = state.withLock { state -> Bool in
            guard state.settings != nil else { return false }
            if state.sampler.takes(at: now) {
                if state.queue.count < Self.queueMax / 2 {
                    state.queue.append(Entry(event: event, time: time, since: now))
                } else {
                    Self.lose(&state)
                }
            }
            return Self.claimThread(&state)
        }
        if needsThread { startThread() }
    }

    /// All of them or none. They are written in their order, so that `done` with the last is done with all.
    private func add(_ events: [AuditEvent], done: (@Sendable (Bool) -> Void)?) -> Bool {
        let (now, time) = (EventLoop.readClock(), EventLoop.readWallClock())
        let (isTaken, isOff, needsThread) = state.withLock { state -> (Bool, Bool, Bool) in
            guard state.settings != nil else { return (true, true, false) }
            if state.queue.count + events.count > Self.queueMax { return (false, false, false) }
            for (index, event) in events.enumerated() {
                state.queue.append(
                    Entry(
                        event: event, time: time, since: now, isAwaited: done != nil,
                        done: index == events.count - 1 ? done : nil))
            }
            return (true, false, Self.claimThread(&state))
        }
        if isOff { done?(true) }
        if needsThread { startThread() }
        return isTaken
    }

    private static func lose(_ state: inout State) {
        state.snapshot.lost += 1
        state.lostUnsaid += 1
    }

    private static func claimThread(_ state: inout State) -> Bool {
        defer { state.isWorking = true }
        return !state.isWorking
    }

    private func startThread() {
        if Thread.tryStart("audit", { [self] in run() }) { return }
        state.withLock { $0.isWorking = false }
    }

    /// Waits until everything is written, but not for ever.
    package func finish() {
        for _ in 0..<Self.finishLooksMax {
            if state.withLock({ $0.queue.isEmpty }) { return }
            _ = usleep(Self.finishLookMicroseconds)
        }
    }

    // MARK: The thread

    /// It lives while there is something to write, and opens the file anew when it begins: other processes may write
    /// too.
    private func run() {
        guard let (settings, key) = state.withLock({ state in state.settings.map { ($0, state.key) } }) else { return }
        var writer: AuditWriter?
        while let batch = next() {
            if batch.isEmpty {
                _ = usleep(Self.retryMicroseconds)
                continue
            }
            do throws(SystemError) {
                if writer == nil {
                    let limits = AuditWriter.Limits(
                        fileByteCountMax: settings.fileByteCountMax, filesMax: settings.filesMax)
                    writer = try AuditWriter(settings.directory, key: key, limits: limits)
                }
                try writer?.write(batch.map(\.event), times: batch.map(\.time))
                succeeded(batch, writer?.head)
            } catch {
                noteFailure("\(settings.directory): \(error)")
                _ = usleep(Self.retryMicroseconds)
            }
        }
    }

    /// What to write next; empty if that is still to come; `nil` if nothing is.
    private func next() -> [Entry]? {
        let now = EventLoop.readClock()
        return state.withLock { state in
            if let count = state.sampler.surplus(at: now) {
                let event = AuditEvent(.accessRefusedOften, details: [.init("count", "\(count)")])
                state.queue.append(Entry(event: event, time: EventLoop.readWallClock(), since: now))
            }
            if state.lostUnsaid > 0, state.queue.count < Self.queueMax / 2 {
                let event = AuditEvent(.eventsLost, details: [.init("count", "\(state.lostUnsaid)")])
                state.queue.append(Entry(event: event, time: EventLoop.readWallClock(), since: now))
                state.lostUnsaid = 0
            }
            if state.queue.isEmpty {
                if state.sampler.hasSurplus { return [] }
                state.isWorking = false
                return nil
            }
            return Array(state.queue.prefix(Self.batchMax))
        }
    }

    private func succeeded(_ batch: [Entry], _ head: AuditHead?) {
        let (handler, wasFailing) = state.withLock { state in
            state.queue.removeFirst(batch.count)
            state.snapshot.head = head
            defer { state.snapshot.failure = nil }
            return (state.handler, state.snapshot.failure != nil)
        }
        for entry in batch { entry.done?(true) }
        if wasFailing { handler?(.recovered) }
        if let head { handler?(.reached(head)) }
    }

    /// Whoever has waited too long is told, and his event is taken back: what it is about does not happen.
    private func noteFailure(_ reason: String) {
        let now = EventLoop.readClock()
        let (handler, isNew, given) = state.withLock { state in
            let isLate = { (entry: Entry) in entry.isAwaited && now - entry.since >= Self.patience }
            let given = state.queue.filter(isLate)
            state.queue.removeAll(where: isLate)
            defer { state.snapshot.failure = reason }
            return (state.handler, state.snapshot.failure == nil, given)
        }
        for entry in given { entry.done?(false) }
        if isNew { handler?(.failing(reason: reason)) }
    }
}
