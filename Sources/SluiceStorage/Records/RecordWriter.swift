internal import CLinux
internal import Glibc
internal import SluiceCore
internal import SluiceNet
internal import SluiceTLS
internal import Synchronization

/// The thread that writes records. One for each file that is open; it ends when it has written what it was given.
final class RecordWriter: Sendable {
    /// What the thread works with; never leaves it.
    final class Session {
        let database: Database
        let inserter: RecordInserter
        let retention: RecordRetention
        let history: RecordHistory

        init(_ settings: RecordStoreSettings, _ vault: SecretVault) throws(DatabaseError) {
            var options = Database.Options()
            options.cacheKiB = 16_384
            options.byteCountMax = settings.fileByteCountMax
            database = try Database(settings.path, options)
            try RecordSchema.migrations.apply(to: database)
            inserter = RecordInserter(database, vault: vault)
            history = RecordHistory(database, vault: vault)
            retention = RecordRetention(database, lockPath: settings.directory + "/records.lock")
        }
    }

    private struct Orders {
        var settings: RecordStoreSettings
        var hasNewSettings = true
        var isEnding = false
        var work: [@Sendable (Session?) -> Void] = []
    }

    private unowned let store: RecordStore
    private let previous: RecordWriter?
    private let orders: Mutex<Orders>
    private let wakeup: Int32
    private let ended = Atomic<Bool>(false)
    private static let workMax = 256
    /// What is done beside writing is looked at so often.
    private static let chores = Duration.seconds(1)
    /// How long a writer that cannot write waits before it tries again.
    private static let retryAfter = Duration.seconds(1)
    /// How long a writer that ends goes on trying where it cannot write.
    private static let lastTry = Duration.seconds(2)

    init(_ store: RecordStore, _ settings: RecordStoreSettings, after previous: RecordWriter?) {
        self.store = store
        self.previous = previous
        orders = Mutex(Orders(settings: settings))
        wakeup = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        // The store outlives its writers: it lives as long as the process.
        nonisolated(unsafe) let run = { [self] in self.run() }
        Thread.start("records") { unsafe run() }
    }

    deinit { close(wakeup) }

    // MARK: From other threads

    func wake() {
        var one: UInt64 = 1
        _ = unsafe write(wakeup, &one, 8)
    }

    func adopt(_ settings: RecordStoreSettings) {
        orders.withLock { orders in
            orders.settings = settings
            orders.hasNewSettings = true
        }
        wake()
    }

    func perform(_ work: @escaping @Sendable (Session?) -> Void) -> Bool {
        let isTaken = orders.withLock { orders in
            if orders.isEnding || orders.work.count >= Self.workMax { return false }
            orders.work.append(work)
            return true
        }
        if isTaken { wake() }
        return isTaken
    }

    func finish() {
        orders.withLock { $0.isEnding = true }
        wake()
    }

    func wait(atMost limit: Duration) {
        let deadline = EventLoop.readClock() + limit
        while !ended.load(ordering: .acquiring), EventLoop.readClock() < deadline { _ = usleep(2000) }
    }

    // MARK: The thread

    private func run() {
        previous?.wait(atMost: .seconds(5))
        var shift = RecordShift(store)
        var nextChores = EventLoop.readClock()
        while true {
            let (settings, isEnding, work) = takeOrders(&shift)
            shift.begin(settings)
            if isEnding {
                shift.commit()
                if !shift.isBehind || shift.isHopeless(after: Self.lastTry) { break }
                _ = usleep(50_000)
                continue
            }
            shift.commit()
            for piece in work { piece(shift.session) }
            let now = EventLoop.readClock()
            if now >= nextChores {
                let isDone = shift.tidy(settings)
                nextChores = now + (isDone ? Self.chores : .milliseconds(50))
            }
            sleep(until: shift.isStopped ? now + Self.retryAfter : nextChores)
            // Records gather, so that one commit carries many.
            if !shift.isStopped { gather(settings.commitInterval) }
        }
        for piece in takeOrders(&shift).work { piece(nil) }
        ended.store(true, ordering: .releasing)
    }

    private func takeOrders(
        _ shift: inout RecordShift
    ) -> (settings: RecordStoreSettings, isEnding: Bool, work: [@Sendable (Session?) -> Void]) {
        orders.withLock { orders in
            if orders.hasNewSettings { shift.isToReconfigure = true }
            orders.hasNewSettings = false
            defer { orders.work = [] }
            return (orders.settings, orders.isEnding, orders.work)
        }
    }

    /// Until somebody wakes it or the time has come.
    private func sleep(until deadline: Instant) {
        let left = max(0, (deadline - EventLoop.readClock()).nanoseconds / 1_000_000)
        var entry = pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0)
        if unsafe poll(&entry, 1, Int32(clamping: left)) > 0 {
            var count: UInt64 = 0
            _ = unsafe read(wakeup, &count, 8)
        }
    }

    /// Waits for the rest of the interval, unless the queue fills up or the end has come.
    private func gather(_ interval: Duration) {
        guard store.queue.count > 0 else { return }
        // Half of it: the commit itself takes time, too, and the interval is a promise.
        let deadline = EventLoop.readClock() + interval / 2
        while EventLoop.readClock() < deadline, !store.queue.isFillingUp {
            let isAsked = orders.withLock { $0.isEnding || !$0.work.isEmpty }
            if isAsked { return }
            _ = usleep(UInt32(clamping: min(5_000, interval.nanoseconds / 4_000)))
        }
    }
}
