import NetTestSupport
import SluiceCore
import SluiceNet
import Testing

@Suite struct `Event loops` {
    private final class Timer: TimerTarget {
        var fired: [Instant] = []
        var then: () -> Void = {}
        let loop: EventLoop
        init(_ loop: EventLoop) { self.loop = loop }
        func timerFired(_ timer: LoopTimer) {
            fired.append(EventLoop.readClock())
            then()
        }
    }

    @Test func `a task that makes work for itself does not keep timers from firing`() async throws {
        try await onLoop { loop in
            let timer = Timer(loop)
            let armed = LoopTimer(target: timer)
            loop.arm(armed, after: .milliseconds(10))
            func spin() {
                if timer.fired.isEmpty { loop.spawn { spin() } }
            }
            spin()
            #expect(await eventually { !timer.fired.isEmpty })
            loop.remove(armed)
        }
    }

    @Test func `a timer fires once, not before its time, and soon after`() async throws {
        try await onLoop { loop in
            let timer = Timer(loop)
            let armed = LoopTimer(target: timer)
            let due = EventLoop.readClock() + .milliseconds(30)
            loop.arm(armed, at: due)
            #expect(await eventually { !timer.fired.isEmpty })
            try await Task.sleep(for: .milliseconds(20))
            #expect(timer.fired.count == 1)
            #expect(timer.fired[0] >= due)
            loop.remove(armed)
        }
    }

    @Test func `of timers that are due together, one that another moves away does not fire`() async throws {
        try await onLoop { loop in
            let (first, second) = (Timer(loop), Timer(loop))
            let armed = [LoopTimer(target: first), LoopTimer(target: second)]
            first.then = { if second.fired.isEmpty { loop.arm(armed[1], after: .seconds(60)) } }
            second.then = { if first.fired.isEmpty { loop.arm(armed[0], after: .seconds(60)) } }
            let due = loop.now + .milliseconds(5)
            for timer in armed { loop.arm(timer, at: due) }
            #expect(await eventually { !first.fired.isEmpty || !second.fired.isEmpty })
            try await Task.sleep(for: .milliseconds(20))
            #expect(first.fired.count + second.fired.count == 1)
            for timer in armed { loop.remove(timer) }
        }
    }

    @Test func `a removed timer lets go of its target`() async throws {
        try await onLoop { loop in
            weak var watched: Timer?
            do {
                let timer = Timer(loop)
                watched = timer
                let armed = LoopTimer(target: timer)
                loop.arm(armed, after: .seconds(60))
                loop.remove(armed)
            }
            #expect(watched == nil)
        }
    }

    @Test func `work from other threads runs on the loop, in order`() async throws {
        try await onLoop { loop in
            final class Log: @unchecked Sendable { var numbers: [Int] = [] }  // used on the loop alone
            let log = Log()
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
}
