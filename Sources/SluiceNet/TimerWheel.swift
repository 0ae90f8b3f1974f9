package import SluiceCore

/// What a timer wakes.
package protocol TimerTarget: AnyObject {
    /// Called on the loop when the timer's deadline has passed. The timer is disarmed; it may be armed again.
    func timerFired(_ timer: LoopTimer)
}

/// One deadline that can be moved at almost no cost: a later deadline is only noted, and looked at when the earlier one is due.
package final class LoopTimer {
    /// Held strongly, since a weak reference would make every use of the target dearer: whoever closes the target removes the timer.
    fileprivate(set) var target: (any TimerTarget)?
    package fileprivate(set) var deadline = Instant.distantFuture
    fileprivate var slot = -1
    fileprivate var scheduled = Instant.distantFuture
    fileprivate var next: LoopTimer?
    fileprivate unowned(unsafe) var previous: LoopTimer?

    package init(target: any TimerTarget) { self.target = target }

    package var isArmed: Bool { deadline != .distantFuture }

    /// Stops it from firing. It may be armed again.
    package func disarm() { deadline = .distantFuture }
}

/// Timers by the millisecond in a wheel of slots (Varghese and Lauck: "Hashed and Hierarchical Timing Wheels", scheme 6).
///
/// Adding, moving and removing cost the same however many there are. A timer never fires early, and at most a tick late.
struct TimerWheel {
    private static let slotCount = 2048
    private static let tick: Int64 = 1_000_000
    private var slots = [LoopTimer?](repeating: nil, count: slotCount)
    private var occupied = [UInt64](repeating: 0, count: slotCount / 64)
    private var lastTick: Int64
    private(set) var count = 0

    init(now: Instant) { lastTick = now.nanoseconds / Self.tick }

    mutating func arm(_ timer: LoopTimer, at deadline: Instant) {
        timer.deadline = deadline
        if timer.slot >= 0 {
            if timer.scheduled <= deadline { return }
            unlink(timer)
        }
        link(timer)
    }

    /// Takes the timer out for good and lets go of its target.
    mutating func remove(_ timer: LoopTimer) {
        timer.deadline = .distantFuture
        timer.target = nil
        if timer.slot >= 0 { unlink(timer) }
    }

    /// Takes out the timers whose deadline has passed, for the caller to fire.
    mutating func expire(now: Instant, into due: inout [LoopTimer]) {
        let nowTick = now.nanoseconds / Self.tick
        var tick = max(lastTick + 1, nowTick - Int64(Self.slotCount) + 1)
        lastTick = max(lastTick, nowTick)
        while tick <= nowTick {
            let slot = Int(tick) & (Self.slotCount - 1)
            if slots[slot] != nil { visit(slot, now: now, into: &due) }
            tick += 1
        }
    }

    private mutating func visit(_ slot: Int, now: Instant, into due: inout [LoopTimer]) {
        var timer = slots[slot]
        while let current = timer {
            timer = current.next
            if current.deadline <= now {
                unlink(current)
                current.deadline = .distantFuture
                due.append(current)
            } else if current.deadline == .distantFuture {
                unlink(current)
            } else if slotIndex(current.deadline) != slot {
                unlink(current)
                link(current)
            }
        }
    }

    /// When the wheel wants to be looked at next; a timer more than a revolution away may be looked at early.
    func nextVisit() -> Instant? {
        if count == 0 { return nil }
        let first = lastTick + 1
        var tick = first
        while tick < first + Int64(Self.slotCount) {
            let slot = Int(tick) & (Self.slotCount - 1)
            let bits = occupied[slot >> 6] >> UInt64(slot & 63)
            if bits != 0 { return Instant(nanoseconds: (tick + Int64(bits.trailingZeroBitCount)) * Self.tick) }
            tick += Int64(64 - (slot & 63))
        }
        return nil
    }

    /// The first tick at which the deadline has surely passed, never one that has been visited.
    private func slotIndex(_ deadline: Instant) -> Int {
        Int(max((deadline.nanoseconds - 1) / Self.tick + 1, lastTick + 1)) & (Self.slotCount - 1)
    }

    private mutating func link(_ timer: LoopTimer) {
        if timer.deadline == .distantFuture { return }
        let slot = slotIndex(timer.deadline)
        timer.slot = slot
        timer.scheduled = timer.deadline
        timer.next = slots[slot]
        unsafe timer.next?.previous = timer
        unsafe timer.previous = nil
        slots[slot] = timer
        occupied[slot >> 6] |= 1 << UInt64(slot & 63)
        count += 1
    }

    private mutating func unlink(_ timer: LoopTimer) {
        let slot = timer.slot
        if let previous = unsafe timer.previous {
            previous.next = timer.next
        } else {
            slots[slot] = timer.next
            if timer.next == nil { occupied[slot >> 6] &= ~(1 << UInt64(slot & 63)) }
        }
        unsafe timer.next?.previous = timer.previous
        timer.next = nil
        unsafe timer.previous = nil
        timer.slot = -1
        count -= 1
    }
}
