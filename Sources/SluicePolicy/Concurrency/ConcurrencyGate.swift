package import SluiceCore
internal import Synchronization

/// So many at one time, and a line of those who wait for their turn. Shared by all workers, and kept when the configuration changes.
///
/// As long as nobody waits, coming and going are one atomic operation each. `state` holds the slots that are taken in its lower
/// half and those who wait in its upper half: a slot is only taken or given back without the lock while nobody waits, so under the
/// lock, with somebody waiting, nothing changes but what is done there. No slot is lost, and none is given twice.
package final class ConcurrencyGate: Sendable {
    package struct Settings: Sendable, Equatable {
        /// At one time.
        package var limit: Int
        /// How many may wait; 0: nobody.
        package var queueMax: Int
        /// How long one may wait.
        package var patience: Duration
        /// By how much a class counts as if it had come later than the one above it.
        package var aging: Duration

        package init(limit: Int, queueMax: Int = 0, patience: Duration = .zero, aging: Duration = .seconds(2)) {
            self.limit = limit
            self.queueMax = queueMax
            self.patience = patience
            self.aging = aging
        }

        /// For a gate that the configuration does not name any more.
        static let open = Settings(limit: slotCountMax)
    }

    /// What whoever waits is told.
    package enum Turn: Sendable, Equatable {
        /// A slot is theirs: it has to be given back.
        case admitted
        /// Their place went to a higher class.
        case displaced
    }

    package struct Ticket: Sendable, Equatable { fileprivate let ticket: WaitingLine.Ticket }

    package enum Answer: Sendable {
        /// A slot is taken: it has to be given back.
        case admitted
        /// `wake` will be called once, unless `leave` says that it will not.
        case waiting(Ticket, until: Instant)
        /// The line is full as well.
        case full
    }

    private struct Guarded {
        var settings: Settings
        var line = WaitingLine()
        var counts = GateCounts()
    }

    package let id: GateID
    private let state = Atomic<UInt64>(0)
    private let limit: Atomic<UInt64>
    /// How long a slot is held on average, in nanoseconds: what the time until another one is free is estimated by.
    private let meanHold = Atomic<Int64>(0)
    private let guarded: Mutex<Guarded>

    package static let slotCountMax = 1 << 30
    private static let oneWaiting: UInt64 = 1 << 32
    private static let slotMask: UInt64 = (1 << 32) - 1
    /// A new measurement counts for one part in so many.
    private static let smoothing: Int64 = 8

    package init(_ id: GateID, _ settings: Settings = .open) {
        self.id = id
        limit = Atomic(Self.bounded(settings.limit))
        guarded = Mutex(Guarded(settings: settings))
    }

    private static func bounded(_ limit: Int) -> UInt64 { UInt64(max(0, min(limit, slotCountMax))) }

    // MARK: Coming

    /// Takes a slot if one is free and nobody waits for it.
    package func tryEnter() -> Bool {
        let limit = limit.load(ordering: .relaxed)
        var seen = state.load(ordering: .relaxed)
        // With somebody waiting the whole is above any limit.
        while seen < limit {
            let (isDone, found) = state.weakCompareExchange(
                expected: seen, desired: seen + 1, ordering: .acquiringAndReleasing)
            if isDone { return true }
            seen = found
        }
        return false
    }

    /// Takes a slot, or a place in the line.
    ///
    /// - Parameter wake: called once when it is their turn, or never will be: on any thread, and possibly before this returns.
    package func enter(
        rank: Int, at now: Instant, wake: @escaping @Sendable (Turn) -> Void
    ) -> Answer {
        let rank = max(0, min(rank, PriorityClasses.countMax - 1))
        let (answer, displaced) = guarded.withLock { guarded -> (Answer, WaitingLine.Wake?) in
            let limit = limit.load(ordering: .relaxed)
            let isFull = guarded.line.count >= guarded.settings.queueMax
            if isFull, tryEnter() { return (.admitted, nil) }
            var displaced: WaitingLine.Wake?
            if isFull {
                displaced = guarded.line.takeLast(below: rank)
                if displaced == nil {
                    guarded.counts.full += 1
                    return (.full, nil)
                }
                guarded.counts.displaced += 1
                state.subtract(Self.oneWaiting, ordering: .acquiringAndReleasing)
            }
            // Whoever was displaced has left the line: for a moment nobody may wait, and a slot may come free without the lock.
            var seen = state.load(ordering: .relaxed)
            while true {
                let mayEnter = seen < limit
                let (isDone, found) = state.weakCompareExchange(
                    expected: seen, desired: mayEnter ? seen + 1 : seen + Self.oneWaiting,
                    ordering: .acquiringAndReleasing)
                if isDone, mayEnter { return (.admitted, displaced) }
                if isDone { break }
                seen = found
            }
            guarded.counts.queued += 1
            let ticket = guarded.line.append(rank: rank, at: now, wake)
            return (.waiting(Ticket(ticket: ticket), until: now + guarded.settings.patience), displaced)
        }
        displaced?(.displaced)
        return answer
    }

    /// Why somebody does not wait any longer.
    package enum Departure: Sendable { case timeout, gone }

    /// Gives up a place in the line.
    ///
    /// - Returns: false if it was their turn already: then `wake` has been called, or is being called.
    package func leave(_ ticket: Ticket, because reason: Departure) -> Bool {
        guarded.withLock { guarded in
            guard guarded.line.remove(ticket.ticket) else { return false }
            state.subtract(Self.oneWaiting, ordering: .acquiringAndReleasing)
            switch reason {
            case .timeout: guarded.counts.timedOut += 1
            case .gone: guarded.counts.gone += 1
            }
            return true
        }
    }

    // MARK: Going

    /// Gives a slot back: to whoever is next.
    ///
    /// - Parameter held: how long it was taken; `nil` if nobody knows.
    package func exit(heldFor held: Duration?) {
        if let held { note(held.nanoseconds) }
        var seen = state.load(ordering: .relaxed)
        while seen < Self.oneWaiting {
            precondition(seen > 0, "a slot of gate \(id.name) was given back twice")
            let (isDone, found) = state.weakCompareExchange(
                expected: seen, desired: seen - 1, ordering: .acquiringAndReleasing)
            if isDone { return }
            seen = found
        }
        guarded.withLock { _ in _ = state.subtract(1, ordering: .acquiringAndReleasing) }
        admitNext()
    }

    private func admitNext() {
        while let wake = guarded.withLock({ guarded -> WaitingLine.Wake? in
            let seen = state.load(ordering: .relaxed)
            if seen < Self.oneWaiting || seen & Self.slotMask >= limit.load(ordering: .relaxed) { return nil }
            state.subtract(Self.oneWaiting - 1, ordering: .acquiringAndReleasing)
            return guarded.line.takeFirst(aging: guarded.settings.aging)
        }) { wake(.admitted) }
    }

    // MARK: Settings

    /// Puts others in force. More slots go to those who wait; with fewer, nobody is turned out, but nobody comes in either until
    /// enough have left.
    package func adopt(_ settings: Settings) {
        guarded.withLock { guarded in
            guarded.settings = settings
            limit.store(Self.bounded(settings.limit), ordering: .relaxed)
        }
        admitNext()
    }

    // MARK: State

    package var inUse: Int { Int(state.load(ordering: .relaxed) & Self.slotMask) }
    package var waiting: Int { Int(state.load(ordering: .relaxed) >> 32) }

    package var snapshot: GateSnapshot {
        let mean = meanHold.load(ordering: .relaxed)
        return guarded.withLock { guarded in
            GateSnapshot(
                id: id, settings: guarded.settings, inUse: inUse,
                waiting: (0..<PriorityClasses.countMax).map { guarded.line.count(rank: $0) }, counts: guarded.counts,
                meanHold: .nanoseconds(mean))
        }
    }

    private func note(_ nanoseconds: Int64) {
        let mean = meanHold.load(ordering: .relaxed)
        // Two at one time may lose one of them: it is an estimate.
        meanHold.store(mean == 0 ? nanoseconds : mean + (nanoseconds - mean) / Self.smoothing, ordering: .relaxed)
    }

    /// When somebody who comes back would find a slot, by how fast those there are come free: 1 s to 1 min.
    package var expectedWait: Duration {
        let seen = state.load(ordering: .relaxed)
        let slots = max(1, limit.load(ordering: .relaxed))
        let perSlot = Double(meanHold.load(ordering: .relaxed)) / Double(slots)
        let seconds = perSlot * Double(seen >> 32 + 1) / 1_000_000_000
        return .seconds(min(60, max(1, seconds)))
    }
}
