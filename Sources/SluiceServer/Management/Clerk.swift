internal import SluiceCore
internal import SluiceNet
internal import Synchronization

/// Does work that blocks (a database, files) on a thread of its own, one piece after the other, for callers on loops.
///
/// The queue is bounded: when it is full, or a caller's time is over, the caller is told so. Work that nobody waits for
/// any more is not begun; what was begun is finished.
final class Clerk: Sendable {
    private struct State {
        var queue: [@Sendable () -> Void] = []
        var isWorking = false
    }

    private let name: String
    private let state = Mutex(State())
    private let queueMax: Int

    /// - Parameter name: of the thread, at most 15 bytes.
    init(_ name: String, queueMax: Int = 256) {
        self.name = name
        self.queueMax = queueMax
    }

    /// Runs `work` on the thread. To be called on a loop, where it returns.
    ///
    /// - Throws: `managementBusy` if too much waits already, `managementTimeout` when it takes longer than `limit`.
    ///   After that it may have been done.
    func run<Value: Sendable>(
        within limit: Duration = .seconds(10), _ work: @escaping @Sendable () -> Value
    ) async throws(ManagementError) -> Value {
        let isWanted = Flag()
        defer { isWanted.lower() }
        return try await Errand.run(within: limit) { done in
            post { if isWanted.isUp { done(work()) } }
        }
    }

    /// Has work done that nobody waits for.
    ///
    /// - Returns: whether there was room in the queue.
    @discardableResult
    func post(_ work: @escaping @Sendable () -> Void) -> Bool {
        let (isTaken, needsThread) = state.withLock { state in
            if state.queue.count >= queueMax { return (false, false) }
            state.queue.append(work)
            defer { state.isWorking = true }
            return (true, !state.isWorking)
        }
        if !needsThread || Thread.tryStart(name, { self.work() }) { return isTaken }
        // Without a thread nothing is done: who waits is told by its deadline, and the next call tries again.
        state.withLock { state in
            state.isWorking = false
            state.queue = []
        }
        return false
    }

    /// The thread lives while there is something to do.
    private func work() {
        while true {
            let next = state.withLock { state -> (@Sendable () -> Void)? in
                if !state.queue.isEmpty { return state.queue.removeFirst() }
                state.isWorking = false
                return nil
            }
            guard let next else { return }
            next()
        }
    }

    /// Whether somebody still waits.
    private final class Flag: Sendable {
        private let up = Atomic<Bool>(true)
        var isUp: Bool { up.load(ordering: .acquiring) }
        func lower() { up.store(false, ordering: .releasing) }
    }
}
