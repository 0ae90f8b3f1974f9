import Dispatch
import Glibc
import NetTestSupport
import SluiceCore
import Synchronization
import Testing

@testable import SluiceNet

@Suite struct `Event loops` {
    private final class Timer: TimerTarget {
        private(set) var fired: [Instant] = []
        var then: () -> Void = {}
        func timerFired(_ timer: LoopTimer) {
            fired.append(EventLoop.readClock())
            then()
        }
    }

    private final class Handler: EventHandler {
        private(set) var readiness: [Readiness] = []
        var then: () -> Void = {}
        func ready(_ readiness: Readiness) {
            self.readiness.append(readiness)
            then()
        }
    }

    private final class Flusher: Flushable {
        private(set) var count = 0
        func flush() { count += 1 }
    }

    // MARK: Jobs

    @Test func `jobs run in the order in which they became runnable`() async throws {
        try await onLoop { test in
            let log = Log()
            for number in 0..<1000 { test.loop.spawn { log.numbers.append(number) } }
            #expect(log.numbers.isEmpty, "none runs within another")
            #expect(await eventually { log.numbers.count == 1000 })
            #expect(log.numbers == Array(0..<1000))
        }
    }

    @Test func `a task stays on its loop, whatever it waits for`() async throws {
        try await onLoop { test in
            #expect(test.loop.isCurrent)
            #expect(EventLoop.current === test.loop)
            try await Task.sleep(for: .milliseconds(1))
            #expect(test.loop.isCurrent)
            await test.settle()
            #expect(test.loop.isCurrent)
            let isElsewhere = await withCheckedContinuation { continuation in
                let loop = test.loop
                DispatchQueue.global().async {
                    continuation.resume(returning: loop.isCurrent || EventLoop.current != nil)
                }
            }
            #expect(!isElsewhere)
        }
    }

    @Test func `a task that makes work for itself does not keep timers from firing`() async throws {
        try await onLoop { test in
            let timer = Timer()
            let armed = LoopTimer(target: timer)
            test.loop.arm(armed, after: .milliseconds(10))
            func spin() {
                if timer.fired.isEmpty { test.loop.spawn { spin() } }
            }
            spin()
            #expect(await eventually { !timer.fired.isEmpty })
            test.loop.remove(armed)
        }
    }

    // MARK: Timers

    @Test func `timers fire once each, in the order of their deadlines and not before them`() async throws {
        try await onLoop { test in
            var order: [Int] = []
            var armed: [(LoopTimer, Timer, Instant)] = []
            let start = EventLoop.readClock()
            for number in [7, 2, 9, 0, 4, 1, 8, 3, 6, 5] {
                let timer = Timer()
                timer.then = { order.append(number) }
                let due = start + .milliseconds(20 + 3 * number)
                armed.append((LoopTimer(target: timer), timer, due))
                test.loop.arm(armed[armed.count - 1].0, at: due)
            }
            #expect(await eventually { order.count == 10 })
            await test.settle()
            for (_, timer, due) in armed {
                #expect(timer.fired.count == 1)
                #expect(timer.fired[0] >= due)
            }
            // Those that a late turn finds due together have no order among them.
            let turns = Dictionary(grouping: armed.indices) { armed[$0].1.fired[0].nanoseconds / 3_000_000 }
            if turns.count == 10 { #expect(order == Array(0..<10)) }
            for (timer, _, _) in armed { test.loop.remove(timer) }
        }
    }

    @Test func `of timers that are due together, one that another moves away does not fire`() async throws {
        try await onLoop { test in
            let (first, second) = (Timer(), Timer())
            let armed = [LoopTimer(target: first), LoopTimer(target: second)]
            first.then = { if second.fired.isEmpty { test.loop.arm(armed[1], after: .seconds(60)) } }
            second.then = { if first.fired.isEmpty { test.loop.arm(armed[0], after: .seconds(60)) } }
            let due = test.loop.now + .milliseconds(5)
            for timer in armed { test.loop.arm(timer, at: due) }
            #expect(await eventually { !first.fired.isEmpty || !second.fired.isEmpty })
            let later = Timer()
            let probe = LoopTimer(target: later)
            test.loop.arm(probe, at: due + .milliseconds(10))
            #expect(await eventually { !later.fired.isEmpty })
            #expect(first.fired.count + second.fired.count == 1)
            for timer in armed + [probe] { test.loop.remove(timer) }
        }
    }

    @Test func `a removed timer lets go of its target`() async throws {
        try await onLoop { test in
            weak var watched: Timer?
            do {
                let timer = Timer()
                watched = timer
                let armed = LoopTimer(target: timer)
                test.loop.arm(armed, after: .seconds(60))
                test.loop.remove(armed)
            }
            #expect(watched == nil)
        }
    }

    // MARK: Other threads

    @Test func `work from another thread runs on the loop, in order`() async throws {
        try await onLoop { test in
            let log = Log()
            let loop = test.loop
            Thread.start("test-other") {
                for number in 0..<1000 {
                    loop.execute {
                        #expect(loop.isCurrent)
                        log.numbers.append(number)
                    }
                }
            }
            #expect(await eventually { log.numbers.count == 1000 })
            #expect(log.numbers == Array(0..<1000))
        }
    }

    @Test func `many threads wake a sleeping loop, and nothing of theirs is lost`() async throws {
        try await onLoop { test in
            let log = Log()
            let loop = test.loop
            for thread in 0..<8 {
                Thread.start("test-other-\(thread)") {
                    for number in 0..<500 {
                        // One in a while comes when the loop sleeps.
                        if number % 100 == 0 { usleep(500) }
                        loop.execute { log.numbers.append(thread * 500 + number) }
                    }
                }
            }
            #expect(await eventually { log.numbers.count == 4000 })
            #expect(Set(log.numbers).count == 4000)
            for thread in 0..<8 {
                let own = log.numbers.filter { $0 / 500 == thread }
                #expect(own == own.sorted(), "thread \(thread)")
            }
        }
    }

    @Test func `a stopped loop returns from run, on the word of another thread too`() throws {
        let loop = try EventLoop()
        let ended = DispatchSemaphore(value: 0)
        Thread.start("test-loop") {
            loop.run()
            ended.signal()
        }
        loop.execute { loop.stop() }
        #expect(ended.wait(timeout: .now() + 20) == .success)
        #expect(!loop.isCurrent)
    }

    // MARK: Descriptors

    @Test func `a descriptor that was given up is not told of any more, and its place goes to another`() async throws {
        try await onLoop { test in
            let (first, second) = (try Peer.pair(), try Peer.pair())
            defer { [first.fd, second.fd].forEach(Socket.close) }
            let (old, new) = (Handler(), Handler())
            let registration = try test.loop.register(first.fd, old)
            #expect(await eventually { old.readiness.contains { $0.isWritable } })
            let told = old.readiness.count
            test.loop.deregister(first.fd, registration)
            let reused = try test.loop.register(second.fd, new)
            #expect(reused.slot == registration.slot && reused.generation != registration.generation)
            test.loop.forget(registration)  // the second time does nothing
            await first.peer.send("x")
            await second.peer.send("x")
            #expect(await eventually { new.readiness.contains { $0.isReadable } })
            await test.settle()
            #expect(old.readiness.count == told)
            test.loop.deregister(second.fd, reused)
        }
    }

    @Test func `one handler may give up another whose event is already on its way`() async throws {
        try await onLoop { test in
            let (first, second) = (try Peer.pair(), try Peer.pair())
            defer { [first.fd, second.fd].forEach(Socket.close) }
            var registrations: [Registration] = []
            var told = 0
            let handlers = [Handler(), Handler()]
            for handler in handlers {
                handler.then = {
                    told += 1
                    for registration in registrations { test.loop.forget(registration) }
                }
            }
            registrations.append(try test.loop.register(first.fd, handlers[0]))
            registrations.append(try test.loop.register(second.fd, handlers[1]))
            // Both are writable at once: their events come with one look at the system.
            #expect(await eventually { told > 0 })
            await test.settle()
            #expect(told == 1)
        }
    }

    @Test func `what is a regular file cannot be watched, and leaves no trace`() async throws {
        try await onLoop { test in
            let fd = unsafe open("/proc/self/status", O_RDONLY)
            defer { Socket.close(fd) }
            weak var watched: Handler?
            do {
                let handler = Handler()
                watched = handler
                #expect(throws: SystemError("epoll_ctl", code: EPERM)) { _ = try test.loop.register(fd, handler) }
            }
            #expect(watched == nil)
        }
    }

    // MARK: Turns

    @Test func `what is to be flushed is flushed once, at the end of the turn`() async throws {
        try await onLoop { test in
            let flusher = Flusher()
            test.loop.flushLater(flusher)
            #expect(flusher.count == 0)
            await test.settle()
            #expect(flusher.count == 1)
        }
    }

    @Test func `a handler that asks to be called again from its call is called in the next turn`() async throws {
        try await onLoop { test in
            let handler = Handler()
            var turns: Set<Instant> = []
            handler.then = {
                turns.insert(test.loop.now)
                if handler.readiness.count < 3 { test.loop.resumeLater(handler) }
            }
            test.loop.resumeLater(handler)
            #expect(await eventually { handler.readiness.count == 3 })
            await test.settle()
            #expect(handler.readiness.count == 3)
            #expect(turns.count == 3)
            #expect(handler.readiness.allSatisfy { !$0.isReadable && !$0.isWritable && !$0.hasEnded })
        }
    }
}

/// Numbers in the order in which they came, noted on one loop alone.
private final class Log: @unchecked Sendable { var numbers: [Int] = [] }
