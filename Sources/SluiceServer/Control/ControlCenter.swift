internal import SluiceConfig
internal import SluiceCore
internal import SluiceNet
internal import SluicePipeline
internal import SluicePolicy
internal import SluiceStorage
internal import Synchronization

/// What the management API keeps and changes: one change after the other, agreed upon with other nodes where there are
/// any, kept on the disk, and put in force by the same reading and building that a file goes through.
///
/// Confined to the control loop. Blocking work is the clerk's.
final class ControlCenter {
    private unowned let server: Server
    let clerk: Clerk
    let store: ControlStore?
    private(set) var state: ControlState
    private(set) var settings: ControlConfiguration
    /// This process, for the history.
    let node: String
    /// Where other nodes hear of it; `nil`: there are none.
    var fleet: ControlFleet?

    /// Of what the keys in force were hashed with.
    private var pepperID = ""
    private var isBusy = false
    private var waiting: [Waiter<Void>] = []
    /// Changes that wait for their turn.
    private static let waitingMax = 64
    private static let clerkPatience = Duration.seconds(20)

    init(_ server: Server, _ start: ControlStart) {
        self.server = server
        clerk = start.clerk
        store = start.store
        state = start.state
        settings = start.settings
        node = start.node
    }

    /// Units that the API keeps, for whoever reads the configuration anew.
    var units: ConfigUnits { settings.source == .layered ? state.units : [:] }

    private var pepper: KeyPepper { server.shared.current.snapshot.access?.pepper ?? KeyPepper() }

    /// Puts the API keys that are kept in force; to be called before anything is served, and when what they are hashed
    /// with changes.
    func adoptKeys() {
        guard let store else { return }
        var records: [KeyRecord] = []
        var unusable = 0
        let pepper = pepper
        do {
            try store.forEachKey { id, _, value in
                if let record = ControlKeys.record(id, value, pepper) { records.append(record) } else { unusable += 1 }
            }
            server.shared.lasting.keys.replace(records)
        } catch {
            server.shared.events.failed("API keys cannot be read: those of before stay in force", "\(error)")
        }
        if unusable > 0 {
            server.shared.events.event(.error, "API keys are not accepted: they were hashed with another pepper") {
                $0.field("sluice.control.keys", unusable)
            }
        }
        pepperID = pepper.id
        showVersions()
    }

    /// Tells whoever lists models which revision each of them was last changed by.
    private func showVersions() {
        let versions = units.keys.filter { $0.section == "models" }.map { ($0.name ?? "", state.unitRevisions[$0] ?? 0) }
        server.shared.lasting.modelVersions.withLock { $0 = Dictionary(versions) { first, _ in first } }
    }

    var view: ControlDesk.View {
        ControlDesk.View(
            state: state, store: store, clerk: clerk, settings: settings, node: node, layered: server.layered)
    }

    /// Begins to follow other nodes, if there are any.
    func start(seal: ControlSeal?, on loop: EventLoop, resolver: Resolver, seed: UInt64) {
        guard settings.isFleet, settings.source == .layered, let redis = server.shared.current.snapshot.redis, let seal
        else { return }
        let mark = store.flatMap { try? $0.mark() } ?? ControlMark()
        let client = RedisClient(redis, health: server.shared.lasting.redis, loop: loop, resolver: resolver, seed: seed)
        fleet = ControlFleet(
            self, client, seal, mark: mark, poll: settings.poll, on: loop, events: server.shared.events)
    }

    /// The file has been read anew.
    func adopt(_ settings: ControlConfiguration) {
        self.settings = settings
        if pepper.id != pepperID { adoptKeys() }
        fleet?.adopt(poll: settings.poll)
    }

    // MARK: Changing

    /// Makes a change, or says what would come of it.
    func make(_ edit: ControlEdit) async -> Result<ControlOutcome, ManagementError> {
        if waiting.count >= Self.waitingMax {
            return .failure(
                ManagementError(.managementBusy, "Too many changes wait for their turn. Try again in a moment."))
        }
        await takeTurn()
        defer { giveTurn() }
        do throws(ManagementError) {
            // What others have changed comes first.
            if let fleet, !edit.isDryRun { try await fleet.catchUpForWriting() }
            let around = surroundings
            let plan = try await clerk.run(within: Self.clerkPatience) { Self.plan(edit, around) }.get()
            if edit.isDryRun || plan.changes.isEmpty {
                return .success(
                    ControlOutcome(
                        state: state, differences: plan.differences, isDryRun: edit.isDryRun, mistakes: plan.mistakes))
            }
            if !plan.mistakes.isEmpty {
                let first = plan.mistakes[0]
                let place = first.path.isEmpty ? "" : "\(first.path): "
                throw ManagementError(
                    .invalidConfiguration, "Nothing was changed: \(place)\(first.message)",
                    param: first.path.isEmpty ? nil : first.path, details: plan.mistakes)
            }
            try await commit(plan, edit)
            return .success(ControlOutcome(state: state, differences: plan.differences, isDryRun: false))
        } catch {
            return .failure(error)
        }
    }

    private static func plan(
        _ edit: ControlEdit, _ around: ControlPlan.Surroundings
    ) -> Result<ControlPlan, ManagementError> {
        do throws(ManagementError) {
            return .success(try ControlPlan.make(edit, around))
        } catch {
            return .failure(error)
        }
    }

    private var surroundings: ControlPlan.Surroundings {
        ControlPlan.Surroundings(
            state: state, store: store, settings: settings, access: server.shared.current.snapshot.access,
            configFile: server.options.configFile,
            overrides: server.options.overrides, environment: server.environment
        ) { (configuration) throws(ConfigErrors) in
            _ = try SnapshotBuilder.build(configuration, revision: 0, environment: .process)
        }
    }

    /// Once it is agreed upon, a change is made, whatever becomes of the disk.
    private func commit(_ plan: ControlPlan, _ edit: ControlEdit) async throws(ManagementError) {
        let record = ControlRecord(
            revision: state.revision + 1, at: Int(EventLoop.readWallClock() / 1_000_000), author: edit.author.id,
            reason: edit.author.reason, node: node, changes: plan.changes, differences: plan.differences)
        // Nothing is changed that is not written down.
        if await !server.auditChange(record, edit.author) {
            throw ManagementError(
                .storageUnavailable, "Nothing was changed: the audit log cannot be written. Try again when it can.")
        }
        do throws(ManagementError) {
            try await agree(record)
        } catch {
            server.auditFailure(of: record, edit.author, error.message)
            throw error
        }
        await putInForce(record, because: "\(edit.author.id) changed it")
    }

    /// Has the fleet, or without one the disk, take a change.
    private func agree(_ record: ControlRecord) async throws(ManagementError) {
        if let fleet { try await fleet.commit(record) }
        let failure = await keep(record)
        if let failure {
            server.shared.events.failed("configuration change not kept on disk", failure)
            if fleet == nil { throw ManagementError(.storageUnavailable, "The change could not be kept: \(failure)") }
        }
    }

    /// - Returns: why it could not be kept.
    private func keep(_ record: ControlRecord) async -> String? {
        guard let store else { return nil }
        let revisionsMax = settings.revisionsMax
        do throws(ManagementError) {
            return try await clerk.run(within: Self.clerkPatience) {
                do {
                    try store.append(record, keeping: revisionsMax)
                    return nil
                } catch {
                    return "\(error)"
                }
            }
        } catch {
            return error.message
        }
    }

    /// Has what runs be as the record says, and waits until every worker has it.
    private func putInForce(_ record: ControlRecord, because reason: String) async {
        state.apply(record)
        server.showControlRevision(state.revision)
        showVersions()
        ControlKeys.adopt(record.changes, server.shared.lasting.keys, pepper)
        if record.changes.allSatisfy(\.unit.isKey) { return server.shared.events.changed(record) }
        await server.reloadControlled(because: reason)
        server.shared.events.changed(record)
    }

    // MARK: Following

    /// A revision that another node made; the one after this node's.
    ///
    /// - Returns: whether it holds here now. If not, the old one does, and the log says why.
    func follow(_ record: ControlRecord) async -> Bool {
        var next = state
        next.apply(record)
        guard await isUsable(next, record.changes, because: "revision \(record.revision)") else { return false }
        if let failure = await keep(record) {
            server.shared.events.failed("configuration change not kept on disk", failure)
        }
        await putInForce(record, because: "revision \(record.revision) of \(record.node)")
        return true
    }

    /// Everything that other nodes have agreed upon, in the place of what this one has.
    func follow(_ whole: ControlFleet.Whole) async -> Bool {
        guard await isUsable(whole.state, [], because: "revision \(whole.state.revision)") else { return false }
        if let store {
            let failure = try? await clerk.run(within: Self.clerkPatience) { () -> String? in
                do {
                    try store.replace(whole.record, whole.entries)
                    return nil
                } catch {
                    return "\(error)"
                }
            }
            if let failure = failure ?? nil {
                server.shared.events.failed("configuration change not kept on disk", failure)
            }
        }
        state = whole.state
        server.showControlRevision(state.revision)
        showVersions()
        ControlKeys.replace(with: whole.keys, server.shared.lasting.keys, pepper)
        await server.reloadControlled(because: "revision \(state.revision) of the fleet")
        return true
    }

    /// Whether a state that others have made can be put in force here.
    private func isUsable(_ next: ControlState, _ changes: [ControlRecord.Change], because reason: String) async -> Bool
    {
        let around = surroundings
        let mistakes = try? await clerk.run(within: Self.clerkPatience) { () -> [String] in
            do throws(ConfigErrors) {
                let file = try LayeredConfiguration.tree(
                    ofFile: around.configFile, overrides: around.overrides,
                    environment: around.environment)
                var units = next.units
                for change in changes where change.unit.isKey {
                    units[change.unit] = change.value.map(ControlKeys.configuration)
                }
                let layered = try LayeredConfiguration.load(
                    file: file, at: around.configFile, environment: around.environment, units: units)
                try around.tryBuilding(layered.outcome.value)
                return []
            } catch {
                return ["\(error)"]
            }
        }
        // No answer is not a good one.
        guard let reason = (mistakes ?? ["nobody had time to look at it"]).first else { return true }
        server.shared.status.lastReloadError = reason
        server.shared.events.event(.error, "configuration of the fleet refused: the old one stays in force") { line in
            line.field("sluice.control.revision", next.revision)
            line.field("error.message", reason)
        }
        return false
    }

    // MARK: Turns

    func takeTurn() async {
        if !isBusy {
            isBusy = true
            return
        }
        let waiter = Waiter<Void>()
        waiting.append(waiter)
        await waiter.wait()
    }

    func giveTurn() {
        if waiting.isEmpty { isBusy = false } else { waiting.removeFirst().fulfil(()) }
    }
}
