internal import SluiceConfig
internal import SluiceCore
internal import SluiceDownstream
internal import SluiceNet
internal import SluicePipeline

/// Watches the process's memory: gives back what a burst left, and refuses work before the system kills us.
final class MemoryGuard: TimerTarget {
    private let loop: EventLoop
    private let shared: Shared
    private let limit: Int
    private let steps: LimitsConfiguration.Memory
    private var timer: LoopTimer?
    /// Resident bytes when nothing much was under way.
    private var settled: Int
    private let shed: () -> Void
    private var hasSettled = false
    private static let settleAfter = Duration.milliseconds(100)
    private static let lookEvery = Duration.milliseconds(500)
    /// Memory is given back when so much less is in use than before.
    private static let trimAbove = 16 << 20

    init(_ steps: LimitsConfiguration.Memory, on loop: EventLoop, shared: Shared, shed: @escaping () -> Void) {
        self.shed = shed
        self.loop = loop
        self.shared = shared
        self.steps = steps
        limit = steps.byteCountMax > 0 ? steps.byteCountMax : ProcessLimits.memoryByteCount
        settled = ProcessLimits.residentByteCount
        let timer = LoopTimer(target: self)
        self.timer = timer
        loop.arm(timer, after: Self.settleAfter)
    }

    func timerFired(_ timer: LoopTimer) {
        if !hasSettled { settle() }
        loop.arm(timer, after: Self.lookEvery)
        var resident = ProcessLimits.residentByteCount
        if resident > settled + Self.trimAbove, shared.gauge.inFlight * 4 < shared.gauge.takePeak() {
            Memory.trim()
            resident = ProcessLimits.residentByteCount
            settled = resident
        }
        let percent = resident / max(1, limit / 100)
        let pressure: LoadGauge.Pressure =
            percent >= steps.refuseConnectionsPercent
            ? .refuseConnections
            : percent >= steps.refuseRequestsPercent ? .refuseRequests : percent >= steps.drainPercent ? .drain : .none
        if pressure > .none { shed() }
        if pressure != shared.gauge.pressure { announce(pressure, percent) }
    }

    /// The start is over: what it alone needed is given back.
    private func settle() {
        hasSettled = true
        Memory.releaseStartupCode()
        Memory.trim()
        settled = ProcessLimits.residentByteCount
    }

    private func announce(_ pressure: LoadGauge.Pressure, _ percent: Int) {
        shared.gauge.pressure = pressure
        shared.connections.isClosed = pressure >= .refuseConnections
        shared.status.isOverloaded = pressure >= .refuseRequests
        shared.events.event(.warn, "memory pressure changed") { line in
            line.field("sluice.memory.percent", percent)
            line.field("sluice.memory.pressure", "\(pressure)")
        }
    }
}
