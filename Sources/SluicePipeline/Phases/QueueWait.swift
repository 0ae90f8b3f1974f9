internal import SluiceCore
internal import SluiceNet
internal import SluicePolicy

/// One request that waits at a gate, on its own loop.
///
/// `@unchecked Sendable`: other threads call `take` alone, which goes to the loop before it touches anything that changes.
final class QueueWait: TimerTarget, @unchecked Sendable {
    enum End: Equatable { case admitted, displaced, timeout, gone, shutdown }

    private let gate: ConcurrencyGate
    private let loop: EventLoop
    private let waiter = Waiter<End>()
    private var ticket: ConcurrencyGate.Ticket?

    init(at gate: ConcurrencyGate, on loop: EventLoop) {
        self.gate = gate
        self.loop = loop
    }

    /// The gate's word. Safe from every thread.
    func take(_ turn: ConcurrencyGate.Turn) {
        if loop.isCurrent { return note(turn) }
        loop.execute { [self] in note(turn) }
    }

    private func note(_ turn: ConcurrencyGate.Turn) { waiter.fulfil(turn == .admitted ? .admitted : .displaced) }

    /// Waits for the turn of whoever has the ticket.
    func end(_ ticket: ConcurrencyGate.Ticket, by deadline: Instant) async -> End {
        self.ticket = ticket
        let timer = LoopTimer(target: self)
        loop.arm(timer, at: deadline)
        let end = await waiter.wait()
        loop.remove(timer)
        return end
    }

    func timerFired(_ timer: LoopTimer) { leave(.timeout) }

    /// Ends the waiting, unless it is their turn already: then that is how it ends.
    func leave(_ end: End) {
        guard let ticket, gate.leave(ticket, because: end == .timeout ? .timeout : .gone) else { return }
        waiter.fulfil(end)
    }
}
