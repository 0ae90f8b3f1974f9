internal import SluiceCore
internal import SluiceNet
internal import Synchronization

/// What the writer's thread does, and how it is doing: open, or stopped and trying again. Never leaves the thread.
struct RecordShift {
    private unowned let store: RecordStore
    private(set) var session: RecordWriter.Session?
    /// What was taken and could not be written yet.
    private var pending: RecordQueue.Batch?
    private(set) var isStopped = false
    private var stoppedAt = Instant.distantFuture
    private var droppedBefore = 0
    var isToReconfigure = true

    init(_ store: RecordStore) { self.store = store }

    /// Whether something waits to be written.
    var isBehind: Bool { pending != nil || store.queue.count > 0 }

    func isHopeless(after patience: Duration) -> Bool { isStopped && EventLoop.readClock() >= stoppedAt + patience }

    /// Opens the file if it is not open, and follows the settings.
    mutating func begin(_ settings: RecordStoreSettings) {
        if session == nil {
            do throws(DatabaseError) {
                session = try RecordWriter.Session(settings, store.vault)
                isToReconfigure = true
                if !isStopped { store.report(.opened(path: settings.path)) }
            } catch {
                stop(error)
                return
            }
        }
        guard isToReconfigure, let session else { return }
        isToReconfigure = false
        session.inserter.bodies.redacts = settings.redactsBodies
        session.inserter.bodies.allowsPlain = settings.allowsPlainBodies
    }

    // MARK: Writing

    mutating func commit() {
        guard let session else { return }
        if pending == nil {
            let batch = store.queue.take()
            if batch.count == 0 {
                store.queue.recycle(batch.bytes)
                if isStopped { probe(session) }
                return
            }
            pending = batch
        }
        guard let batch = pending else { return }
        do throws(DatabaseError) {
            let began = EventLoop.readClock()
            let count = try session.inserter.write(batch.bytes.span)
            pending = nil
            store.counters.written.add(count, ordering: .relaxed)
            let now = EventLoop.readClock()
            store.counters.noteCommit(took: now - began)
            let lag = now - batch.oldest
            store.counters.lagMicros.store(Int(lag.nanoseconds / 1000), ordering: .relaxed)
            store.queue.recycle(batch.bytes)
            resume()
        } catch {
            store.counters.failures.add(1, ordering: .relaxed)
            if error.mayPass || error.kind == .corrupt { return stop(error) }
            // The same would fail again: these are lost, those after them are not.
            pending = nil
            store.counters.dropped.add(batch.count, ordering: .relaxed)
            store.report(.lost(count: batch.count, error))
        }
    }

    /// Nothing waits: whether writing would work again shows when something small is written.
    private mutating func probe(_ session: RecordWriter.Session) {
        do throws(DatabaseError) {
            try session.inserter.unit { () throws(DatabaseError) in
                try session.database.execute(
                    "INSERT INTO marks VALUES ('probe', 1) ON CONFLICT DO UPDATE SET value = value + 1")
            }
            resume()
        } catch {}
    }

    private mutating func stop(_ error: DatabaseError) {
        // What is wrong with the connection itself is not there with a new one.
        if error.kind != .full, error.kind != .busy { session = nil }
        if isStopped { return }
        isStopped = true
        stoppedAt = EventLoop.readClock()
        droppedBefore = store.counters.dropped.load(ordering: .relaxed)
        store.report(.stopped(error))
    }

    private mutating func resume() {
        if !isStopped { return }
        isStopped = false
        store.report(.resumed(dropped: store.counters.dropped.load(ordering: .relaxed) - droppedBefore))
    }

    // MARK: Chores

    /// Lets old records go.
    ///
    /// - Returns: whether nothing more is to be done for now.
    mutating func tidy(_ settings: RecordStoreSettings) -> Bool {
        guard let session else { return true }
        do throws(DatabaseError) {
            let gone = try session.retention.step(settings)
            store.counters.expired.add(gone.count, ordering: .relaxed)
            store.counters.expiredUnshipped.add(gone.unshipped, ordering: .relaxed)
            return gone.count == 0
        } catch {
            store.counters.failures.add(1, ordering: .relaxed)
            if error.mayPass { stop(error) }
            return true
        }
    }
}
