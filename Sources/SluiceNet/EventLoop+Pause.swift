internal import SluiceCore

extension EventLoop {
    /// Waits; to be called by a task of this loop.
    package func pause(for duration: Duration) async {
        let pause = LoopPause()
        let timer = LoopTimer(target: pause)
        arm(timer, after: duration)
        await pause.isOver.wait()
        remove(timer)
    }
}

private final class LoopPause: TimerTarget {
    let isOver = Waiter<Void>()

    func timerFired(_ timer: LoopTimer) { isOver.fulfil(()) }
}
