internal import CLinux
internal import Glibc
package import SluiceCore

/// One thread's epoll: descriptors, timers, jobs, and nothing that blocks.
///
/// `@unchecked Sendable`: all state is used by the loop's own thread alone (each entry point checks it in debug builds),
/// except `mailbox`, which has a lock, and the descriptors of epoll and eventfd, which never change.
@safe package final class EventLoop: @unchecked Sendable {
    /// For queues of bytes on this loop.
    package let buffers = BufferPool()
    private let epoll: Int32
    private let mailbox: Mailbox
    private var handlers = HandlerTable()
    private var ready: [UnownedJob] = []
    private var later: [() -> Void] = []
    private var dirty: [any Flushable] = []
    private var resumed: [any EventHandler] = []
    /// Those of the turn before.
    private var resuming: [any EventHandler] = []
    private var wheel: TimerWheel
    private var isStopping = false
    /// The time at the start of this turn; a clock that is read once a turn costs nothing.
    package private(set) var now: Instant
    /// The calendar's time as it was read last, and in which turn.
    private var calendar = (turn: Instant.distantFuture, seconds: 0)
    /// Memory that every connection of the loop reads into; what a handler wants to keep, it copies.
    package let scratch: UnsafeMutableRawBufferPointer
    /// The same for what TLS makes of it: room for all of `scratch` and one more record.
    let plaintext: UnsafeMutableRawBufferPointer

    /// How many bytes one read takes at most.
    package static let scratchByteCount = 65_536
    private static let eventsAtMost = 256
    private static let roundsAtMost = 16
    /// How many jobs one round runs: those that others have made runnable in the same round count.
    private static let jobsAtMost = 1024
    private static let wakeupTag = UInt64.max

    package init() throws(SystemError) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        if epoll < 0 { throw SystemError("epoll_create1") }
        mailbox = try Mailbox()
        now = Self.readClock()
        wheel = TimerWheel(now: now)
        unsafe scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.scratchByteCount, alignment: 64)
        unsafe plaintext = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.scratchByteCount + 16_384, alignment: 64)
        var event = unsafe epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: Self.wakeupTag))
        _ = unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, mailbox.fd, &event)
    }

    deinit {
        close(epoll)
        unsafe scratch.deallocate()
        unsafe plaintext.deallocate()
    }

    /// Whether the caller is on this loop's thread.
    package var isCurrent: Bool {
        unsafe sluice_thread_loop_get() == UnsafeMutableRawPointer(Unmanaged.passUnretained(self).toOpaque())
    }

    /// The loop that runs on this thread.
    package static var current: EventLoop? {
        guard let pointer = unsafe sluice_thread_loop_get() else { return nil }
        return unsafe Unmanaged<EventLoop>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// The calendar's time in this turn, in seconds since 1970-01-01 00:00 UTC: read once a turn, and only if somebody asks.
    package var wallSeconds: Int {
        if calendar.turn != now { calendar = (now, Int(Self.readWallClock() / 1_000_000_000)) }
        return calendar.seconds
    }

    // MARK: Running

    /// Serves events until `stop()`. The calling thread becomes the loop's thread.
    package func run() {
        unsafe sluice_thread_loop_set(Unmanaged.passUnretained(self).toOpaque())
        unsafe withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.eventsAtMost) { events in
            while !isStopping { unsafe turn(events) }
        }
        sluice_thread_loop_set(nil)
    }

    /// Ends `run()` after this turn.
    package func stop() { isStopping = true }

    private func turn(_ events: UnsafeMutableBufferPointer<epoll_event>) {
        let count = unsafe epoll_wait(epoll, events.baseAddress, Int32(Self.eventsAtMost), timeout())
        now = Self.readClock()
        if !resumed.isEmpty { swap(&resumed, &resuming) }
        for index in 0..<max(0, Int(count)) {
            let event = unsafe events[index]
            let tag = unsafe event.data.u64
            if tag == Self.wakeupTag {
                takeMail()
                continue
            }
            unsafe dispatch(
                Registration(slot: UInt32(truncatingIfNeeded: tag >> 32), generation: UInt32(truncatingIfNeeded: tag)),
                event.events)
        }
        if wheel.count > 0 { fireTimers() }
        if !resuming.isEmpty { handleResumed() }
        settleTurn()
    }

    /// Runs what became runnable and writes what was written, until neither leads to more: but not for ever, since a task that
    /// makes work for itself must not keep the loop from its sockets.
    private func settleTurn() {
        for _ in 0..<Self.roundsAtMost {
            if ready.isEmpty && later.isEmpty && dirty.isEmpty { return }
            runJobs()
            var index = 0
            while index < later.count {
                later[index]()
                index += 1
            }
            later.removeAll(keepingCapacity: true)
            index = 0
            while index < dirty.count {
                dirty[index].flush()
                index += 1
            }
            dirty.removeAll(keepingCapacity: true)
        }
    }

    private func runJobs() {
        var index = 0
        while index < ready.count, index < Self.jobsAtMost {
            let job = ready[index]
            index += 1
            unsafe job.runSynchronously(on: asUnownedTaskExecutor())
        }
        if index == ready.count { ready.removeAll(keepingCapacity: true) } else { ready.removeFirst(index) }
    }

    private func timeout() -> Int32 {
        if !ready.isEmpty || !later.isEmpty || !dirty.isEmpty || !resumed.isEmpty { return 0 }
        guard let next = wheel.nextVisit() else { return -1 }
        let wait = next.nanoseconds - Self.readClock().nanoseconds
        return wait <= 0 ? 0 : Int32(clamping: (wait + 999_999) / 1_000_000)
    }

    private func dispatch(_ registration: Registration, _ events: UInt32) {
        handlers.handler(of: registration)?.ready(Readiness(bits: events))
    }

    private func handleResumed() {
        for handler in resuming { handler.ready(Readiness(bits: 0)) }
        resuming.removeAll(keepingCapacity: true)
    }

    // MARK: Descriptors

    /// Watches a descriptor, edge-triggered in both directions: the handler reads and writes until the system says "later".
    ///
    /// - Parameter isListening: level-triggered and for reading alone, for a listening socket.
    package func register(_ fd: Int32, _ handler: any EventHandler, isListening: Bool = false) throws(SystemError)
        -> Registration
    {
        assert(isCurrent)
        let registration = handlers.insert(handler)
        let interest =
            isListening
            ? EPOLLIN.rawValue
            : EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        let tag = UInt64(registration.slot) << 32 | UInt64(registration.generation)
        var event = unsafe epoll_event(events: interest, data: epoll_data_t(u64: tag))
        if unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0 {
            let error = SystemError("epoll_ctl")
            forget(registration)
            throw error
        }
        return registration
    }

    /// Gives the events of a descriptor to another handler.
    package func replaceHandler(of registration: Registration, with handler: any EventHandler) {
        handlers.replace(registration, with: handler)
    }

    /// Stops watching. The descriptor may then be closed.
    package func deregister(_ fd: Int32, _ registration: Registration) {
        var event = unsafe epoll_event()
        _ = unsafe epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &event)
        forget(registration)
    }

    /// Stops watching a descriptor that is closed right after, which takes it out of epoll by itself.
    package func forget(_ registration: Registration) { handlers.remove(registration) }

    // MARK: Turns

    /// Has the object flushed once at the end of this turn. The caller makes sure not to ask twice.
    package func flushLater(_ object: any Flushable) { dirty.append(object) }

    /// Calls `closure` when the event that is being handled has been, before what was written is sent. To be called on the loop.
    package func runLater(_ closure: @escaping () -> Void) { later.append(closure) }

    /// Calls the handler again in the next turn, for one that stopped before everything was read.
    package func resumeLater(_ handler: any EventHandler) { resumed.append(handler) }

    // MARK: Timers

    package func arm(_ timer: LoopTimer, at deadline: Instant) { wheel.arm(timer, at: deadline) }
    package func arm(_ timer: LoopTimer, after duration: Duration) { wheel.arm(timer, at: now + duration) }
    /// Takes a timer out for good; its target is let go.
    package func remove(_ timer: LoopTimer) { wheel.remove(timer) }

    private func fireTimers() {
        var due: [LoopTimer] = []
        wheel.expire(now: now, into: &due)
        // One that another has armed again in the meantime has a new deadline.
        for timer in due where !timer.isArmed { timer.target?.timerFired(timer) }
    }

    // MARK: From elsewhere

    /// Runs `closure` on the loop, soon. Safe from every thread.
    package func execute(_ closure: @escaping @Sendable () -> Void) { mailbox.post(closure) }

    private func takeMail() {
        let mail = mailbox.take()
        ready.append(contentsOf: mail.jobs)
        for closure in mail.closures { closure() }
    }
}

extension EventLoop: TaskExecutor {
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent { return ready.append(job) }
        mailbox.post(job)
    }
}

extension EventLoop {
    /// Starts a task that lives on this loop. To be called on the loop: what the task captures stays on its thread.
    package func spawn(_ operation: @escaping () async -> Void) {
        assert(isCurrent)
        // The closure never leaves the thread it was made on: the task's executor is this loop.
        nonisolated(unsafe) let operation = operation
        Task(executorPreference: self) { unsafe await operation() }
    }
}
