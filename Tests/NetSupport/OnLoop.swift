package import Dispatch
internal import SluiceCore
package import SluiceNet
internal import Synchronization

/// A test took longer than any of them may.
package struct Stuck: Error {}

/// Runs `body` as a task on an event loop with a thread of its own, and stops the loop afterwards.
///
/// What `body` makes belongs to that loop, as it does in the proxy; transports that it leaves open are closed. A test that hangs
/// fails: nothing of it is waited for after `limit`.
@discardableResult package func onLoop<Value: Sendable>(
    within limit: DispatchTimeInterval = .seconds(120), _ body: @escaping @Sendable (LoopTest) async throws -> Value
) async throws -> Value {
    let loop = try EventLoop()
    keptLoops.withLock { $0.append(loop) }
    let run = Run<Value>()
    Thread.start("test-loop") {
        loop.run()
        run.finish()
    }
    Task(executorPreference: loop) {
        let test = LoopTest(loop)
        let outcome: Result<Value, any Error>
        do { outcome = .success(try await body(test)) } catch { outcome = .failure(error) }
        test.closeAll()
        run.note(outcome)
        loop.stop()
    }
    DispatchQueue.global().asyncAfter(deadline: .now() + limit) {
        run.finish()
        loop.execute { loop.stop() }
    }
    return try await withCheckedContinuation { run.wait($0) }.get()
}

/// A task that sleeps when its test ends wakes up on its loop: loops live as long as the tests.
private let keptLoops = Mutex<[EventLoop]>([])

/// How a test on a loop came out, known once the loop has stopped or its time is over.
private final class Run<Value: Sendable>: Sendable {
    private struct State {
        var outcome: Result<Value, any Error> = .failure(Stuck())
        var isFinished = false
        var waiting: CheckedContinuation<Result<Value, any Error>, Never>?
    }
    private let state = Mutex(State())

    func note(_ outcome: Result<Value, any Error>) { state.withLock { $0.outcome = outcome } }

    func wait(_ continuation: CheckedContinuation<Result<Value, any Error>, Never>) {
        let outcome = state.withLock { state -> Result<Value, any Error>? in
            if state.isFinished { return state.outcome }
            state.waiting = continuation
            return nil
        }
        if let outcome { continuation.resume(returning: outcome) }
    }

    func finish() {
        let (waiting, outcome) = state.withLock { state in
            state.isFinished = true
            defer { state.waiting = nil }
            return (state.waiting, state.outcome)
        }
        waiting?.resume(returning: outcome)
    }
}

/// What a test does on its loop.
package final class LoopTest {
    package let loop: EventLoop
    private var transports: [Transport] = []

    init(_ loop: EventLoop) { self.loop = loop }

    /// A transport over a connected descriptor, closed at the end of the test at the latest.
    package func open(_ fd: Int32, _ delegate: (any TransportDelegate)? = nil) throws -> Transport {
        let transport = try Transport(loop: loop, fd: fd)
        transports.append(transport)
        transport.delegate = delegate
        return transport
    }

    package func dial(_ addresses: [SocketAddress], within time: Duration = .seconds(20)) async throws -> Transport {
        let transport = try await Connector.connect(to: addresses, by: EventLoop.readClock() + time, on: loop)
        transports.append(transport)
        return transport
    }

    func closeAll() { for transport in transports { transport.close() } }

    /// Lets the loop look at its descriptors several times: what is there to be noticed, has been.
    package func settle() async {
        let loop = loop
        for _ in 0..<8 {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                DispatchQueue.global().async { loop.execute { continuation.resume() } }
            }
        }
    }
}

/// Waits, a millisecond at a time, until something holds.
///
/// - Returns: whether it did within a time that is long enough for any machine: only a test that fails waits for so long.
@discardableResult package func eventually(within time: Duration = .seconds(15), _ condition: () throws -> Bool)
    async rethrows -> Bool
{
    let deadline = EventLoop.readClock() + time
    while try !condition() {
        if EventLoop.readClock() >= deadline { return false }
        await moment()
    }
    return true
}

/// Waits for a millisecond by the loop's own clock: the timers of tasks need a thread that other tests may have blocked.
private func moment() async {
    guard let loop = EventLoop.current else {
        try? await Task.sleep(for: .milliseconds(1))
        return
    }
    let alarm = Alarm()
    let timer = LoopTimer(target: alarm)
    loop.arm(timer, after: .milliseconds(1))
    _ = await alarm.waiter.wait()
    loop.remove(timer)
}

private final class Alarm: TimerTarget {
    let waiter = Waiter<Bool>()
    func timerFired(_ timer: LoopTimer) { waiter.fulfil(true) }
}
