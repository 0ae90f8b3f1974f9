internal import SluiceCore
internal import SluiceNet
internal import SluicePipeline

/// All that is sent to receivers of telemetry, on a thread of its own: there is none as long as the configuration names no receiver.
///
/// Used on the control loop.
final class Telemetry: TimerTarget {
    /// What lives on the thread.
    private final class Running {
        var services: [(plan: any TelemetryPlan, service: any TelemetryService)] = []
    }

    private let shared: Shared
    private let controlLoop: EventLoop
    private let instance: String
    private var loop: EventLoop?
    private var isEnding = false
    /// The thread's alone.
    private let running = Running()
    private var whenFinished: (() -> Void)?
    private var timer: LoopTimer?
    /// After the deadlines of all services, for one that does not keep its own.
    private static let patience = Duration.milliseconds(500)

    init(on controlLoop: EventLoop, shared: Shared, instance: String) {
        self.controlLoop = controlLoop
        self.shared = shared
        self.instance = instance
    }

    /// Starts what is new, and ends what the configuration does not say any more.
    func adopt(_ plans: [any TelemetryPlan]) {
        if isEnding || plans.isEmpty && loop == nil { return }
        guard let loop = loop ?? startThread() else { return }
        self.loop = loop
        let scope = TelemetryScope(shared, loop: loop, instance: instance)
        nonisolated(unsafe) let running = running  // used on the thread alone
        let names = Set(plans.map(\.name))
        loop.execute { unsafe Self.follow(plans, names, running, scope) }
    }

    private func startThread() -> EventLoop? {
        do throws(SystemError) {
            let loop = try EventLoop()
            // The thread keeps what metrics are read from.
            let shared = shared
            let isStarted = Thread.tryStart("telemetry") { withExtendedLifetime(shared) { loop.run() } }
            if isStarted { return loop }
            shared.events.failed("telemetry is not sent", "the system gives no more threads")
        } catch {
            shared.events.failed("telemetry is not sent", "\(error)")
        }
        return nil
    }

    private static func follow(
        _ plans: [any TelemetryPlan], _ names: Set<String>, _ running: Running, _ scope: TelemetryScope
    ) {
        let gone = running.services.filter { old in !plans.contains { $0.isSame(as: old.plan) } }
        let kept = running.services.filter { old in plans.contains { $0.isSame(as: old.plan) } }
        for (plan, service) in gone {
            if plans.contains(where: { $0.continues(plan) }) { service.handOver() }
            scope.loop.spawn { await service.finish(by: service.deadline(endingAt: EventLoop.readClock())) }
        }
        scope.statuses.keep(only: names)
        running.services = plans.map { plan in
            kept.first { plan.isSame(as: $0.plan) } ?? (plan, plan.start(scope))
        }
    }

    // MARK: The end

    /// Another process goes on under the same name: what is the last word of this one must not be the last of that one.
    func handOver() {
        guard let loop else { return }
        nonisolated(unsafe) let running = running
        loop.execute { for (_, service) in unsafe running.services { service.handOver() } }
    }

    /// Sends what is left. Each service has its own time for that, and together they have no more than the slowest.
    ///
    /// - Parameter done: called once, on the control loop.
    func finish(_ done: @escaping () -> Void) {
        isEnding = true
        guard let loop else { return done() }
        self.loop = nil
        whenFinished = done
        nonisolated(unsafe) let confined = (running: running, telemetry: self)
        loop.execute { [controlLoop] in
            let now = EventLoop.readClock()
            let services = unsafe confined.running.services.map(\.service)
            let deadline = services.map { $0.deadline(endingAt: now) }.max() ?? now
            controlLoop.execute { unsafe confined.telemetry.wait(until: deadline) }
            var left = services.count
            func finished() {
                left -= 1
                if left > 0 { return }
                loop.stop()
                controlLoop.execute { unsafe confined.telemetry.finished() }
            }
            if services.isEmpty { return finished() }
            for service in services {
                loop.spawn {
                    await service.finish(by: service.deadline(endingAt: now))
                    finished()
                }
            }
        }
    }

    private func wait(until deadline: Instant) {
        if whenFinished == nil { return }
        let timer = LoopTimer(target: self)
        self.timer = timer
        controlLoop.arm(timer, at: deadline + Self.patience)
    }

    func timerFired(_ timer: LoopTimer) { finished() }

    private func finished() {
        let done = whenFinished
        whenFinished = nil
        if let timer { controlLoop.remove(timer) }
        timer = nil
        done?()
    }
}
