internal import SluiceConfig
internal import SluiceCore
internal import SluiceNet
internal import SluiceStorage

/// Keeps this node at the revision that all nodes have agreed upon, and has them agree upon what is changed here.
///
/// A notice or the poll says that there is something new; only what was sealed by a node that has the key is believed,
/// and only what can be put in force here is. Confined to the control loop.
final class ControlFleet: TimerTarget {
    /// Everything that nodes have agreed upon.
    struct Whole: Sendable {
        let state: ControlState
        /// Stands for the history that is not known.
        let record: ControlRecord
        let entries: [ControlChannel.Row]
        var keys: [ControlRecord.Change] { entries.filter(\.unit.isKey).map { .init(unit: $0.unit, value: $0.value) } }
    }

    let settings: RedisSettings
    private unowned let center: ControlCenter
    private let events: EventLog
    private let redis: RedisClient
    private let channel: ControlChannel
    private let loop: EventLoop
    private var timer: LoopTimer?
    private var poll: Duration
    private var mark: ControlMark
    private var isChecking = false
    private var isClosed = false
    /// What was said to be the latest when it could not be followed: not tried again until something else is.
    private var refusedHead: Int?
    /// What was logged last, so that it is logged once.
    private var lastTrouble = ""

    /// - Parameter mark: of what this node has.
    init(
        _ center: ControlCenter, _ redis: RedisClient, _ seal: ControlSeal, mark: ControlMark, poll: Duration,
        on loop: EventLoop, events: EventLog
    ) {
        self.center = center
        self.redis = redis
        settings = redis.settings
        channel = ControlChannel(redis, seal)
        self.mark = mark
        self.poll = poll
        self.loop = loop
        self.events = events
        channel.onNotice { [weak self] in self?.look() }
        let timer = LoopTimer(target: self)
        self.timer = timer
        loop.arm(timer, after: .milliseconds(20))
    }

    func adopt(poll: Duration) { self.poll = poll }

    func close() {
        isClosed = true
        if let timer { loop.remove(timer) }
        timer = nil
        redis.close()
    }

    func timerFired(_ timer: LoopTimer) {
        if isClosed { return }
        loop.arm(timer, after: poll)
        look()
    }

    private func look() {
        if isChecking || isClosed || !redis.isAvailable { return }
        isChecking = true
        loop.spawn { [self] in
            await center.takeTurn()
            do throws(ControlChannel.Trouble) {
                try await catchUp()
                if !lastTrouble.isEmpty {
                    lastTrouble = ""
                    events.event(.info, "configuration of the fleet is followed again")
                }
            } catch {
                note(error)
            }
            center.giveTurn()
            isChecking = false
        }
    }

    private func note(_ trouble: ControlChannel.Trouble) {
        let text =
            switch trouble {
            case .unavailable(let reason): "Redis: \(reason)"
            case .conflict: "another node was faster"
            case .forged(let reason): reason
            }
        if text == lastTrouble { return }
        lastTrouble = text
        events.event(.warn, "configuration of the fleet cannot be followed") { $0.field("error.message", text) }
    }

    // MARK: Following

    /// Goes to the latest revision. In the center's turn.
    private func catchUp() async throws(ControlChannel.Trouble) {
        let head = try await channel.head()
        let own = center.state.revision
        if head == own || head == refusedHead { return }
        if head < own { return try await refill(expected: head) }
        if head - own <= ControlChannel.recordsKept, refusedHead == nil,
            let records = try await channel.records(own + 1...head)
        {
            for record in records {
                let next = await markAfter(record)
                guard await center.follow(record) else {
                    refusedHead = head
                    return
                }
                mark = next
                await center.keep(mark)
            }
            return
        }
        try await takeAll(head)
    }

    private func takeAll(_ head: Int) async throws(ControlChannel.Trouble) {
        guard let (mark, rows) = try await channel.everything() else {
            throw .forged("there is a revision \(head), and nothing to it")
        }
        // Whoever can write there cannot take us back to what was once.
        if mark.revision <= center.state.revision {
            throw .forged("what is there is of revision \(mark.revision), and this node is at \(center.state.revision)")
        }
        var state = ControlState()
        state.revision = mark.revision
        for row in rows where !row.unit.isKey {
            state.units[row.unit] = row.value
            state.unitRevisions[row.unit] = row.revision
        }
        let record = ControlRecord(
            revision: mark.revision, at: Int(EventLoop.readWallClock() / 1_000_000), author: "fleet",
            reason: "taken over from other nodes", node: center.node, changes: [], differences: [])
        guard await center.follow(Whole(state: state, record: record, entries: rows)) else {
            refusedHead = head
            return
        }
        refusedHead = nil
        self.mark = mark
        await center.keep(mark)
    }

    /// Redis has lost what nodes had agreed upon: this one still has it.
    private func refill(expected: Int) async throws(ControlChannel.Trouble) {
        guard let rows = await center.rows() else { return }
        var mark = self.mark
        mark.revision = center.state.revision
        do throws(ControlChannel.Trouble) {
            try await channel.fill(mark, rows, expected: expected)
            events.event(.info, "configuration of the fleet put back into Redis") {
                $0.field("sluice.control.revision", mark.revision)
            }
        } catch {
            // Another node does the same.
            if error != .conflict { throw error }
        }
    }

    private func markAfter(_ record: ControlRecord) async -> ControlMark {
        var old: [ConfigUnit: Int] = [:]
        for change in record.changes { old[change.unit] = await center.revision(of: change.unit) }
        return mark.applying(record) { old[$0] }
    }

    // MARK: Changing

    /// Before a change: it is to be one of the latest revision.
    func catchUpForWriting() async throws(ManagementError) {
        do throws(ControlChannel.Trouble) {
            try await catchUp()
        } catch {
            throw Self.refusal(error)
        }
        if let refusedHead {
            throw ManagementError(
                .storageUnavailable, "This node cannot follow the others to revision \(refusedHead); its log says why.")
        }
    }

    /// Has all nodes agree upon a record.
    func commit(_ record: ControlRecord) async throws(ManagementError) {
        let next = await markAfter(record)
        do throws(ControlChannel.Trouble) {
            try await channel.commit(record, next, expected: record.revision - 1)
        } catch {
            // Without an answer it may have been done all the same.
            let found = try? await channel.records(record.revision...record.revision)
            guard case .unavailable = error, found?.first == record else { throw Self.refusal(error) }
        }
        mark = next
        await center.keep(mark)
    }

    private static func refusal(_ trouble: ControlChannel.Trouble) -> ManagementError {
        switch trouble {
        case .unavailable(let reason):
            ManagementError(
                .storageUnavailable, "Nodes cannot agree upon a change, as Redis does not answer: \(reason)")
        case .conflict:
            ManagementError(.preconditionFailed, "Another node changed the configuration meanwhile. Read it again.")
        case .forged(let reason):
            ManagementError(.storageUnavailable, "What is in Redis was not written by a node of this fleet: \(reason)")
        }
    }
}
