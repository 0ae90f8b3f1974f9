internal import SluiceCore
internal import SluiceDownstream
internal import SluiceNet
internal import SluiceUpstream

/// A wait of one exchange, which ends early when there is nobody left to wait for.
final class Pause: TimerTarget {
    private var signal = TaskSignal()
    private var isOver = false

    func wait(_ duration: Duration, on loop: EventLoop) async {
        let timer = LoopTimer(target: self)
        loop.arm(timer, after: duration)
        while !isOver { unsafe await withUnsafeContinuation { unsafe signal.wait($0) } }
        loop.remove(timer)
    }

    func timerFired(_ timer: LoopTimer) { end() }

    func end() {
        isOver = true
        signal.give()
    }
}

extension RequestContext {
    /// Waits, unless the application goes or the process ends.
    func pause(_ duration: Duration) async {
        if duration <= .zero || ending != nil || isUnwanted { return }
        let pause = Pause()
        self.pause = pause
        await pause.wait(duration, on: exchange.loop)
        self.pause = nil
    }

    /// Ends whatever is under way upstream, and every wait for it: nobody wants the answer, or can wait any longer.
    func cancelUpstream(_ error: UpstreamError) {
        ending = error
        attempt.upstream?.cancel(error)
        rival?.upstream?.cancel(error)
        pause?.end()
        waiter?.wake()
        queueWait?.leave(error.reason == .shutdown ? .shutdown : .gone)
    }
}
