internal import SluiceNet

/// Work with Redis that is done again and again: one round after the other, with a pause between them, until it is closed.
///
/// Confined to its loop.
final class RecordRounds: TimerTarget {
    /// Goes out, or comes in, at one time.
    static let batchMax = 200
    /// How long Redis may take: nobody waits for it.
    static let patience = Duration.seconds(2)
    private static let pause = Duration.milliseconds(200)

    let loop: EventLoop
    private var timer: LoopTimer?
    private var round: (() async -> Void)?

    init(on loop: EventLoop) { self.loop = loop }

    var isClosed: Bool { round == nil }

    func begin(_ round: @escaping () async -> Void) {
        self.round = round
        timer = LoopTimer(target: self)
        arm()
    }

    func close() {
        round = nil
        if let timer { loop.remove(timer) }
        timer = nil
    }

    private func arm() {
        if let timer { loop.arm(timer, after: Self.pause) }
    }

    func timerFired(_ timer: LoopTimer) {
        guard let round else { return }
        loop.spawn { [self] in
            await round()
            arm()
        }
    }
}
