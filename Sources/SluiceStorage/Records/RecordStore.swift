package import SluiceCore
internal import SluiceNet
package import SluiceTLS
internal import Synchronization

/// Keeps the records of what was asked and answered, in a file of its own and on a thread of its own.
///
/// Workers hand records over and never wait: the queue has a bound, and what finds no room is counted. What was handed
/// over is on the disk a commit interval later; a process that is killed loses no more than that. When the disk is full
/// or fails, recording stops, says so, and goes on by itself; requests are served all the same.
package final class RecordStore: Sendable {
    /// What the operator is to hear of.
    package enum Event: Sendable {
        case opened(path: String)
        case stopped(DatabaseError)
        case resumed(dropped: Int)
        case lost(count: Int, DatabaseError)
    }

    private struct State {
        var writer: RecordWriter?
        var stopped: String?
        var report: (@Sendable (Event) -> Void)?
        var settings: RecordStoreSettings?
    }

    private let state = Mutex(State())
    let queue = RecordQueue()
    let counters = RecordCounters()
    let vault: SecretVault
    private let open = Atomic<Bool>(false)
    private let dropsBodies = Atomic<Bool>(false)

    package init(vault: SecretVault) { self.vault = vault }

    /// Keeps records as these settings say from now on; `nil`: not at all.
    package func adopt(_ settings: RecordStoreSettings?) {
        let before = state.withLock { state -> RecordWriter? in
            if state.settings == settings { return nil }
            defer { state.settings = settings }
            guard let settings else {
                defer { state.writer = nil }
                return state.writer
            }
            queue.limit(to: settings.queueMax)
            dropsBodies.store(settings.whenFull == .dropBodies, ordering: .relaxed)
            if let writer = state.writer, state.settings?.path == settings.path {
                writer.adopt(settings)
                return nil
            }
            let before = state.writer
            // The next one begins when the one before it has written what it was given.
            let writer = RecordWriter(self, settings, after: before)
            state.writer = writer
            return before
        }
        open.store(settings != nil, ordering: .releasing)
        before?.finish()
    }

    /// Calls `report` when something happens that an operator should know; from the writer's thread.
    package func onEvent(_ report: @escaping @Sendable (Event) -> Void) { state.withLock { $0.report = report } }

    /// Whether records are kept.
    package var isOpen: Bool { open.load(ordering: .acquiring) }

    /// Where; `nil`: nowhere.
    package var settings: RecordStoreSettings? { state.withLock { $0.settings } }

    // MARK: On workers

    /// Whether there is room for bodies. Asked once an exchange, where bodies are kept at all.
    package var takesBodies: Bool {
        if !dropsBodies.load(ordering: .relaxed) || !queue.isFillingUp { return true }
        counters.bodiesDropped.add(1, ordering: .relaxed)
        return false
    }

    /// Hands a record over.
    ///
    /// - Parameters:
    ///   - record: as `RecordCoding` writes it.
    ///   - now: the monotonic clock.
    package func append(_ record: Span<UInt8>, at now: Instant) {
        let (isTaken, wasEmpty) = queue.append(record, at: now)
        if !isTaken { counters.dropped.add(1, ordering: .relaxed) }
        if wasEmpty { state.withLock { $0.writer }?.wake() }
    }

    // MARK: On other threads

    /// Has `work` done by the writer, between two commits.
    ///
    /// - Returns: false if there is no writer; `work` is not called then.
    @discardableResult
    func perform(_ work: @escaping @Sendable (RecordWriter.Session?) -> Void) -> Bool {
        guard let writer = state.withLock({ $0.writer }) else { return false }
        return writer.perform(work)
    }

    /// Writes what has been handed over, and ends. Waits for it, but not for ever.
    package func finish() {
        let writer = state.withLock { state -> RecordWriter? in
            defer { state.writer = nil }
            return state.writer
        }
        writer?.finish()
        writer?.wait(atMost: .seconds(5))
    }

    package var snapshot: RecordStoreSnapshot {
        var snapshot = counters.snapshot
        snapshot.isOpen = isOpen
        snapshot.stopped = state.withLock { $0.stopped }
        snapshot.waiting = queue.count
        return snapshot
    }

    // MARK: Of the writer

    func report(_ event: Event) {
        let report = state.withLock { state in
            switch event {
            case .stopped(let error): state.stopped = error.description
            case .resumed, .opened: state.stopped = nil
            case .lost: break
            }
            return state.report
        }
        report?(event)
    }
}

/// What the store counts.
final class RecordCounters: Sendable {
    let written = Atomic<Int>(0)
    let dropped = Atomic<Int>(0)
    let bodiesDropped = Atomic<Int>(0)
    let collected = Atomic<Int>(0)
    let commits = Atomic<Int>(0)
    let failures = Atomic<Int>(0)
    let expired = Atomic<Int>(0)
    let expiredUnshipped = Atomic<Int>(0)
    let shipped = Atomic<Int>(0)
    let unreadable = Atomic<Int>(0)
    let lagMicros = Atomic<Int>(0)
    /// Of commits: their time in all, and how many by `commitBounds`.
    private let commitTimes = Mutex((micros: 0, counts: RecordStoreSnapshot().commitCounts))

    func noteCommit(took: Duration) {
        commits.add(1, ordering: .relaxed)
        let micros = Int(took.nanoseconds / 1000)
        let bucket = RecordStoreSnapshot.commitBounds.firstIndex { Double(micros) / 1e6 <= $0 }
        commitTimes.withLock { times in
            times.micros += micros
            times.counts[bucket ?? RecordStoreSnapshot.commitBounds.count] += 1
        }
    }

    var snapshot: RecordStoreSnapshot {
        var snapshot = RecordStoreSnapshot()
        snapshot.written = written.load(ordering: .relaxed)
        snapshot.dropped = dropped.load(ordering: .relaxed)
        snapshot.bodiesDropped = bodiesDropped.load(ordering: .relaxed)
        snapshot.collected = collected.load(ordering: .relaxed)
        snapshot.commits = commits.load(ordering: .relaxed)
        snapshot.failures = failures.load(ordering: .relaxed)
        snapshot.shipped = shipped.load(ordering: .relaxed)
        snapshot.unreadable = unreadable.load(ordering: .relaxed)
        snapshot.expired = expired.load(ordering: .relaxed)
        snapshot.expiredUnshipped = expiredUnshipped.load(ordering: .relaxed)
        snapshot.lagMicros = lagMicros.load(ordering: .relaxed)
        (snapshot.commitMicros, snapshot.commitCounts) = commitTimes.withLock { $0 }
        return snapshot
    }
}
