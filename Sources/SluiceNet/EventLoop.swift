internal import CLinux
internal import Glibc
package import SluiceCore
internal import Synchronization

/// What happened on a file descriptor.
package struct Readiness: Sendable {
    let bits: UInt32
    package var isReadable: Bool { bits & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 }
    package var isWritable: Bool { bits & (EPOLLOUT.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 }
    /// The peer will send no more, or the connection is broken.
    package var hasEnded: Bool { bits & (EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 }
    package var isBroken: Bool { bits & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 }
}

/// What a file descriptor's events are given to.
package protocol EventHandler: AnyObject {
    func ready(_ readiness: Readiness)
}

/// What wants to write once at the end of a turn, however often it was written to.
package protocol Flushable: AnyObject {
    func flush()
}

/// A registered file descriptor: a place in the loop's table, and a generation that tells stale events apart.
package struct Registration: Hashable, Sendable {
    let slot: UInt32
    let generation: UInt32
}

/// One thread's epoll: descriptors, timers, jobs, and nothing that blocks.
///
/// `@unchecked Sendable`: all state is used by the loop's own thread alone (each entry point checks it in debug builds),
/// except `mailbox`, which has a lock, and the descriptors of epoll and eventfd, which never change.
@safe package final class EventLoop: @unchecked Sendable {
    private struct Slot {
        var handler: (any EventHandler)?
        var generation: UInt32
    }

    private struct Mailbox {
        var jobs: [UnownedJob] = []
        var closures: [@Sendable () -> Void] = []
        var isSignalled = false
    }

    /// For queues of bytes on this loop.
    package let buffers = BufferPool()
    private let epoll: Int32
    private let wakeup: Int32
    private let mailbox = Mutex(Mailbox())
    private var slots: [Slot] = []
    private var freeSlots: [UInt32] = []
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
    /// Memory that every connection of the loop reads into; what a handler wants to keep, it copies.
    package let scratch: UnsafeMutableRawBufferPointer
    /// The same for what TLS makes of it: room for all of `scratch` and one more record.
    let plaintext: UnsafeMutableRawBufferPointer

    /// How many bytes one read takes at most.
    package static let scratchByteCount = 65_536
    private static let eventsAtMost = 256
    private static let roundsAtMost = 16
    private static let wakeupTag = UInt64.max

    package init() throws(SystemError) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        if epoll < 0 { throw SystemError("epoll_create1") }
        wakeup = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        if wakeup < 0 { throw SystemError("eventfd") }
        now = Self.readClock()
        wheel = TimerWheel(now: now)
        unsafe scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.scratchByteCount, alignment: 64)
        unsafe plaintext = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.scratchByteCount + 16_384, alignment: 64)
        var event = unsafe epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: Self.wakeupTag))
        _ = unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, wakeup, &event)
    }

    deinit {
        close(epoll)
        close(wakeup)
        unsafe scratch.deallocate()
        unsafe plaintext.deallocate()
    }

    /// The monotonic clock, read now.
    package static func readClock() -> Instant {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// The wall clock in nanoseconds since 1970, read now: for people and protocols, never for waiting.
    package static func readWallClock() -> Int64 {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
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
            if tag == Self.wakeupTag { takeMail(); continue }
            unsafe dispatch(Registration(slot: UInt32(truncatingIfNeeded: tag >> 32), generation: UInt32(truncatingIfNeeded: tag)), event.events)
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
            var index = 0
            while index < ready.count {
                let job = ready[index]
                index += 1
                unsafe job.runSynchronously(on: asUnownedTaskExecutor())
            }
            ready.removeAll(keepingCapacity: true)
            index = 0
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

    private func timeout() -> Int32 {
        if !ready.isEmpty || !later.isEmpty || !dirty.isEmpty || !resumed.isEmpty { return 0 }
        guard let next = wheel.nextVisit() else { return -1 }
        let wait = next.nanoseconds - Self.readClock().nanoseconds
        return wait <= 0 ? 0 : Int32(clamping: (wait + 999_999) / 1_000_000)
    }

    private func dispatch(_ registration: Registration, _ events: UInt32) {
        let slot = slots[Int(registration.slot)]
        if slot.generation == registration.generation { slot.handler?.ready(Readiness(bits: events)) }
    }

    private func handleResumed() {
        for handler in resuming { handler.ready(Readiness(bits: 0)) }
        resuming.removeAll(keepingCapacity: true)
    }

    // MARK: Descriptors

    /// Watches a descriptor, edge-triggered in both directions: the handler reads and writes until the system says "later".
    ///
    /// - Parameter isListening: level-triggered and for reading alone, for a listening socket.
    package func register(_ fd: Int32, _ handler: any EventHandler, isListening: Bool = false) throws(SystemError) -> Registration {
        assert(isCurrent)
        let slot: UInt32
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = UInt32(slots.count)
            slots.append(Slot(handler: nil, generation: 0))
        }
        slots[Int(slot)].handler = handler
        let registration = Registration(slot: slot, generation: slots[Int(slot)].generation)
        let interest = isListening ? EPOLLIN.rawValue
            : EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        var event = unsafe epoll_event(events: interest, data: epoll_data_t(u64: UInt64(slot) << 32 | UInt64(registration.generation)))
        if unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0 {
            let error = SystemError("epoll_ctl")
            forget(registration)
            throw error
        }
        return registration
    }

    /// Gives the events of a descriptor to another handler.
    package func replaceHandler(of registration: Registration, with handler: any EventHandler) {
        if slots[Int(registration.slot)].generation == registration.generation { slots[Int(registration.slot)].handler = handler }
    }

    /// Stops watching. The descriptor may then be closed.
    package func deregister(_ fd: Int32, _ registration: Registration) {
        var event = unsafe epoll_event()
        _ = unsafe epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &event)
        forget(registration)
    }

    /// Stops watching a descriptor that is closed right after, which takes it out of epoll by itself.
    package func forget(_ registration: Registration) {
        let index = Int(registration.slot)
        if slots[index].generation != registration.generation { return }
        slots[index].handler = nil
        slots[index].generation &+= 1
        freeSlots.append(registration.slot)
    }

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
    package func execute(_ closure: @escaping @Sendable () -> Void) {
        let mustSignal = mailbox.withLock { mailbox in
            mailbox.closures.append(closure)
            defer { mailbox.isSignalled = true }
            return !mailbox.isSignalled
        }
        if mustSignal { signal() }
    }

    private func signal() {
        var one: UInt64 = 1
        _ = unsafe write(wakeup, &one, 8)
    }

    private func takeMail() {
        var count: UInt64 = 0
        _ = unsafe read(wakeup, &count, 8)
        let mail = mailbox.withLock { mailbox in
            let mail = mailbox
            mailbox = Mailbox()
            return mail
        }
        ready.append(contentsOf: mail.jobs)
        for closure in mail.closures { closure() }
    }
}

extension EventLoop: TaskExecutor {
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent { return ready.append(job) }
        let mustSignal = mailbox.withLock { mailbox in
            mailbox.jobs.append(job)
            defer { mailbox.isSignalled = true }
            return !mailbox.isSignalled
        }
        if mustSignal { signal() }
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
