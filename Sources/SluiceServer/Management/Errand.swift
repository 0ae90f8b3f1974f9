internal import SluiceCore
internal import SluiceNet

/// Work that is done elsewhere, on another loop or thread, and waited for on this one.
enum Errand {
    /// To be called on a loop, where it returns.
    ///
    /// - Parameter start: sends somebody to do it, who calls what it is given, once, from any thread.
    ///   Returns whether that could be done.
    /// - Throws: `managementBusy` if it could not, `managementTimeout` when it takes longer than `limit`. After that it
    ///   may have been done.
    static func run<Value: Sendable>(
        within limit: Duration, _ start: (_ done: @escaping @Sendable (Value) -> Void) -> Bool
    ) async throws(ManagementError) -> Value {
        guard let loop = EventLoop.current else { preconditionFailure("an errand off every loop") }
        let wait = ErrandWait<Value>()
        nonisolated(unsafe) let confined = wait  // used on the loop alone: the value is carried there
        let isStarted = start { value in loop.execute { unsafe confined.waiter.fulfil(.success(value)) } }
        if !isStarted {
            throw ManagementError(.managementBusy, "Too many management requests are under way. Try again in a moment.")
        }
        let timer = LoopTimer(target: wait)
        loop.arm(timer, at: EventLoop.readClock() + limit)
        let result = await wait.waiter.wait()
        loop.remove(timer)
        return try result.get()
    }
}

/// One caller who waits, with its deadline.
private final class ErrandWait<Value: Sendable>: TimerTarget {
    let waiter = Waiter<Result<Value, ManagementError>>()

    func timerFired(_ timer: LoopTimer) {
        waiter.fulfil(.failure(ManagementError(.managementTimeout, "It took too long; it may still be done.")))
    }
}
