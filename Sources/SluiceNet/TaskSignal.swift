/// What one task waits for on a loop, and others on the same loop tell it.
///
/// A signal given while the task is on its way to wait is not lost: the runtime may run other work between the task's last look at
/// its condition and its suspension. The other side of that is that a wait may end without a reason, so a wait stands in a loop:
///
///     while !condition { await withUnsafeContinuation { signal.wait($0) } }
@safe package struct TaskSignal {
    private var task: UnsafeContinuation<Void, Never>?
    private var isGiven = false

    package init() {}

    /// Has the task resumed by the next signal, or at once if there was one since the last wait.
    package mutating func wait(_ task: UnsafeContinuation<Void, Never>) {
        if isGiven {
            isGiven = false
            unsafe task.resume()
        } else {
            unsafe self.task = unsafe task
        }
    }

    package mutating func give() {
        guard let task = unsafe task else {
            isGiven = true
            return
        }
        unsafe self.task = nil
        unsafe task.resume()
    }
}
