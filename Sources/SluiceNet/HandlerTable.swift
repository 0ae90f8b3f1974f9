/// A registered file descriptor: a place in the loop's table, and a generation that tells stale events apart.
package struct Registration: Hashable, Sendable {
    let slot: UInt32
    let generation: UInt32
}

/// The handlers of a loop's descriptors. A place that was given up is used again, with another generation.
struct HandlerTable {
    private struct Slot {
        var handler: (any EventHandler)?
        var generation: UInt32
    }

    private var slots: [Slot] = []
    private var free: [UInt32] = []

    mutating func insert(_ handler: any EventHandler) -> Registration {
        let slot: UInt32
        if let used = free.popLast() {
            slot = used
        } else {
            slot = UInt32(slots.count)
            slots.append(Slot(handler: nil, generation: 0))
        }
        slots[Int(slot)].handler = handler
        return Registration(slot: slot, generation: slots[Int(slot)].generation)
    }

    /// Whose events these are; `nil` if the registration was given up, though its last events may still come.
    func handler(of registration: Registration) -> (any EventHandler)? {
        let slot = slots[Int(registration.slot)]
        return slot.generation == registration.generation ? slot.handler : nil
    }

    mutating func replace(_ registration: Registration, with handler: any EventHandler) {
        let index = Int(registration.slot)
        if slots[index].generation == registration.generation { slots[index].handler = handler }
    }

    mutating func remove(_ registration: Registration) {
        let index = Int(registration.slot)
        if slots[index].generation != registration.generation { return }
        slots[index].handler = nil
        slots[index].generation &+= 1
        free.append(registration.slot)
    }
}
