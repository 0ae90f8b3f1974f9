internal import Glibc
internal import SluiceConfig
internal import SluiceCore
internal import SluiceNet
internal import SluicePipeline
internal import Synchronization

/// How the process ends: readiness down, a while in which requests are still taken, then what is open finishes, then what has not
/// finished is cut honestly, and at last whoever is sent metrics gets the last of them.
final class Drain: TimerTarget {
    private enum Step { case serving, lameDuck, finishing, cutting, ended }

    private unowned let server: Server
    private var step = Step.serving
    private var keepsSockets = false
    private var timer: LoopTimer?
    private var remaining = 0

    init(_ server: Server) { self.server = server }

    /// - Parameters:
    ///   - keepsSockets: somebody else accepts from our sockets.
    ///   - skipsLameDuck: nobody needs time to see that we are not ready.
    func begin(keepsSockets: Bool, skipsLameDuck: Bool) {
        guard step == .serving else { return exit(because: "a second signal") }
        self.keepsSockets = keepsSockets
        server.shared.status.isServing = false
        server.shared.events.event(.info, "draining")
        let lameDuck = skipsLameDuck ? .zero : server.configuration.drain.lameDuck
        if lameDuck == .zero { return finish() }
        step = .lameDuck
        arm(lameDuck)
    }

    private func finish() {
        step = .finishing
        remaining = server.workers.count
        arm(server.configuration.drain.grace)
        let done = workerDone(with: .finishing)
        for worker in server.workers { worker.drain(keepsSockets: keepsSockets, done) }
    }

    /// To be called on any thread: brings the news to the control loop. A worker that is cut says twice that it is done.
    private func workerDone(with finished: Step) -> @Sendable () -> Void {
        let loop = server.loop
        nonisolated(unsafe) let confined = self  // used on the control loop alone
        return {
            loop.execute {
                if unsafe confined.step != finished { return }
                unsafe confined.remaining -= 1
                if unsafe confined.remaining == 0 { unsafe confined.end() }
            }
        }
    }

    private func cut() {
        step = .cutting
        server.shared.events.event(.warn, "exchanges did not finish within the grace period and are cut")
        remaining = server.workers.count
        let done = workerDone(with: .cutting)
        for worker in server.workers { worker.cut(done) }
    }

    func timerFired(_ timer: LoopTimer) {
        switch step {
        case .lameDuck: finish()
        case .finishing: cut()
        case .serving, .cutting, .ended: break
        }
    }

    private func end() {
        step = .ended
        server.endTelemetry { [server] in
            server.shared.events.event(.info, "stopped")
            server.loop.stop()
        }
    }

    private func exit(because reason: String) {
        server.shared.events.event(.warn, "stopped at once") { $0.field("event.reason", reason) }
        server.loop.stop()
    }

    private func arm(_ duration: Duration) {
        let timer = timer ?? LoopTimer(target: self)
        self.timer = timer
        timer.disarm()
        server.loop.arm(timer, after: duration)
    }
}
