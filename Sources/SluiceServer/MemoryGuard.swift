internal import SluiceConfig
internal import SluiceCore
internal import SluiceNet
internal import SluicePipeline

/// Watches the process's memory: gives back what a burst left, and refuses work before the system kills us.
final class MemoryGuard: TimerTarget {
    private let loop: EventLoop
    private let shared: Shared
    private let limit: Int
    private let steps: LimitsConfiguration.Memory
    private var timer: LoopTimer?
    private var peak = 0
    private static let lookEvery = Duration.milliseconds(500)
    /// Memory is given back when so much less is in use than before.
    private static let trimAbove = 16 << 20

    init(_ steps: LimitsConfiguration.Memory, on loop: EventLoop, shared: Shared) {
        self.loop = loop
        self.shared = shared
        self.steps = steps
        limit = steps.byteCountMax > 0 ? steps.byteCountMax : ProcessLimits.memoryByteCount
        peak = ProcessLimits.residentByteCount
        let timer = LoopTimer(target: self)
        self.timer = timer
        loop.arm(timer, after: Self.lookEvery)
    }

    func timerFired(_ timer: LoopTimer) {
        loop.arm(timer, after: Self.lookEvery)
        var resident = ProcessLimits.residentByteCount
        if resident > peak + Self.trimAbove, shared.inFlight.current * 4 < shared.inFlight.takePeak() {
            Memory.trim()
            resident = ProcessLimits.residentByteCount
            peak = resident
        }
        let percent = resident / max(1, limit / 100)
        shared.pressure.level =
            percent >= steps.refuseConnectionsPercent ? .refuseConnections
            : percent >= steps.refuseRequestsPercent ? .refuseRequests : percent >= steps.drainPercent ? .drain : .none
    }
}
