internal import SluiceCore
internal import SluicePolicy

func measurePolicy(_ measure: Measure) {
    measureGates(measure)
    measureLimits(measure)
}

/// What a limit on concurrency costs where nobody has to wait, and where somebody always does.
private func measureGates(_ measure: Measure) {
    let table = GateTable()
    let id = GateID(.model, "gpt-5.4-mini")
    let policy = ConcurrencyPolicy(
        settings: [id: ConcurrencyGate.Settings(limit: 100, queueMax: 100, patience: .seconds(1))], in: table)
    table.adopt(policy)
    let now = Instant(nanoseconds: 1)
    measure("gate/in and out") {
        guard let gate = policy.models["gpt-5.4-mini"], gate.tryEnter() else { return }
        GateSlot(of: gate, since: now).release(at: now)
    }
    let full = ConcurrencyGate(id, ConcurrencyGate.Settings(limit: 1, queueMax: 100, patience: .seconds(1)))
    _ = full.tryEnter()
    measure("gate/wait for a turn") {
        _ = full.enter(rank: 0, at: now) { _ in }
        full.exit(heldFor: .zero)
    }
}
