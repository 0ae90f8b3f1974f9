internal import Glibc
internal import SluiceCore
internal import SluiceNet
internal import SluicePipeline
internal import SluicePolicy
internal import SluiceStorage
internal import Synchronization

/// Writes down once a minute which API keys were used and what targets have done, where there is a store for it.
///
/// What it has not written yet is lost with a process that is killed: a minute of it. Confined to the control loop.
final class UseLedger: TimerTarget {
    private let store: ControlStore
    private let clerk: Clerk
    private let shared: Shared
    private let loop: EventLoop
    private var timer: LoopTimer?
    /// Uses before this second are on the disk.
    private var since: Int
    /// Totals that are on the disk.
    private var written: [TargetID: TargetTotals] = [:]
    /// What the clerk was given last: it is on the disk once he says so, and goes again if he does not.
    private var sent: Sent?
    private let trouble = Flag()
    private static let every = Duration.seconds(60)
    /// How long the end of the process waits for it.
    private static let lastPatience = Duration.seconds(2)

    init(_ store: ControlStore, _ clerk: Clerk, _ shared: Shared, on loop: EventLoop) {
        self.store = store
        self.clerk = clerk
        self.shared = shared
        self.loop = loop
        since = Self.now
        let timer = LoopTimer(target: self)
        self.timer = timer
        loop.arm(timer, after: Self.every)
    }

    private struct Sent {
        let at: Int
        let totals: [TargetID: TargetTotals]
        let isWritten = Flag()
    }

    private static var now: Int { Int(EventLoop.readWallClock() / 1_000_000_000) }

    /// What earlier processes have written; to be called before anything is served, when the keys are there.
    static func recall(_ store: ControlStore, _ shared: Shared) {
        do throws(DatabaseError) {
            let uses = try store.keyUses(at: now)
            shared.lasting.keys.remember(uses)
            shared.current.snapshot.access?.keys.remember(uses)
            shared.lasting.past.remember(try store.targetTotals())
        } catch {
            shared.events.failed("uses of keys cannot be read", "\(error)")
        }
    }

    func timerFired(_ timer: LoopTimer) {
        loop.arm(timer, after: Self.every)
        write {}
    }

    /// Writes the rest, and waits for it, but not for ever.
    func finish() {
        if let timer { loop.remove(timer) }
        timer = nil
        let isDone = Flag()
        guard write({ isDone.raise() }) else { return }
        let deadline = EventLoop.readClock() + Self.lastPatience
        while !isDone.isUp, EventLoop.readClock() < deadline { _ = usleep(1000) }
    }

    /// - Returns: whether it will be done.
    @discardableResult
    private func write(_ done: @escaping @Sendable () -> Void) -> Bool {
        if let sent, sent.isWritten.isUp {
            since = sent.at
            written.merge(sent.totals) { $1 }
        }
        let tables = [shared.lasting.keys, shared.current.snapshot.access?.keys].compactMap(\.self)
        let fresh = Sent(at: Self.now, totals: freshTotals())
        // The second before counts again: it was not over then.
        let uses = tables.flatMap { $0.uses(since: since - 1) }
        if uses.isEmpty && fresh.totals.isEmpty {
            done()
            return true
        }
        sent = fresh
        let (totals, isWritten) = (fresh.totals, fresh.isWritten)
        return clerk.post { [store, trouble, events = shared.events] in
            do throws(DatabaseError) {
                try store.write(uses, totals)
                isWritten.raise()
                trouble.lower()
            } catch {
                if !trouble.isUp { events.failed("uses of keys cannot be written", "\(error)") }
                trouble.raise()
            }
            done()
        }
    }

    /// Of the targets that the configuration names, those that have done something since.
    private func freshTotals() -> [TargetID: TargetTotals] {
        var fresh: [TargetID: TargetTotals] = [:]
        for route in shared.current.snapshot.routes.routes.values {
            for target in route.targets {
                let total = shared.lasting.past.of(target.state.id) + target.state.load.totals
                if target.state.load.answerCount > 0, written[target.state.id] != total {
                    fresh[target.state.id] = total
                }
            }
        }
        return fresh
    }

    private final class Flag: Sendable {
        private let up = Atomic<Bool>(false)
        var isUp: Bool { up.load(ordering: .acquiring) }
        func raise() { up.store(true, ordering: .releasing) }
        func lower() { up.store(false, ordering: .releasing) }
    }
}
