/// Finds positions of an array by hash: four bytes for each, and room to spare. The array knows the hashes and what
/// they are of.
struct IndexTable {
    private var slots: ContiguousArray<UInt32>
    private(set) var count = 0

    private static let empty = UInt32.max

    init(minimumCapacity: Int = 0) {
        var size = 16
        while size * 7 / 10 < minimumCapacity { size *= 2 }
        slots = ContiguousArray(repeating: Self.empty, count: size)
    }

    private func home(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (slots.count - 1) }

    /// The position with this hash for which `isWanted`.
    func find(_ hash: UInt64, where isWanted: (Int) -> Bool) -> Int? {
        var slot = home(hash)
        while slots[slot] != Self.empty {
            let position = Int(slots[slot])
            if isWanted(position) { return position }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// - Parameter hashes: the hash of any position that is in the table.
    mutating func insert(_ position: Int, _ hash: UInt64, hashes: (Int) -> UInt64) {
        if (count + 1) * 10 > slots.count * 7 { grow(hashes) }
        place(UInt32(position), hash)
        count += 1
    }

    private mutating func place(_ position: UInt32, _ hash: UInt64) {
        var slot = home(hash)
        while slots[slot] != Self.empty { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = position
    }

    private mutating func grow(_ hashes: (Int) -> UInt64) {
        let old = slots
        slots = ContiguousArray(repeating: Self.empty, count: old.count * 2)
        for position in old where position != Self.empty { place(position, hashes(Int(position))) }
    }

    /// Takes a position out; those behind it move up, so that nothing is left to be stepped over.
    mutating func remove(_ position: Int, _ hash: UInt64, hashes: (Int) -> UInt64) {
        var slot = home(hash)
        while slots[slot] != UInt32(position) {
            if slots[slot] == Self.empty { return }
            slot = (slot + 1) & (slots.count - 1)
        }
        var next = (slot + 1) & (slots.count - 1)
        while slots[next] != Self.empty {
            let home = home(hashes(Int(slots[next])))
            // How far it is from where it would like to be, and from the hole.
            if (next - home) & (slots.count - 1) >= (next - slot) & (slots.count - 1) {
                slots[slot] = slots[next]
                slot = next
            }
            next = (next + 1) & (slots.count - 1)
        }
        slots[slot] = Self.empty
        count -= 1
    }
}
