package import SluiceCore

/// One slot of a gate. It is given back exactly once: by `release`, or when nothing refers to it any more.
package final class GateSlot {
    package let gate: ConcurrencyGate
    private let since: Instant
    private var isHeld = true

    /// - Parameter gate: has been entered, and for this slot.
    package init(of gate: ConcurrencyGate, since: Instant) {
        self.gate = gate
        self.since = since
    }

    deinit { if isHeld { gate.exit(heldFor: nil) } }

    package func release(at now: Instant) {
        if !isHeld { return }
        isHeld = false
        gate.exit(heldFor: now - since)
    }
}
