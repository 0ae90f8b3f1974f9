/// What a tape shares with the values that are read from it: they refer to this by address, so that reading counts no
/// references.
@safe struct JSONTapeStorage {
    private(set) var entries: UnsafeMutablePointer<JSONEntry>
    private(set) var capacity: Int
    /// Entries in use: zero if there is no valid document.
    var count = 0
    /// Tells this document's nodes from those of documents before it.
    var generation: UInt32 = 0

    init(capacity: Int) {
        self.capacity = capacity
        unsafe entries = .allocate(capacity: capacity)
    }

    func deallocate() { unsafe entries.deallocate() }

    /// Makes room for more entries than `used`, and at most for `limit`.
    mutating func grow(used: Int, limit: Int) {
        resize(to: min(max(capacity * 2, used + 1), limit), keeping: used)
    }

    mutating func resize(to newCapacity: Int, keeping used: Int) {
        let fresh = UnsafeMutablePointer<JSONEntry>.allocate(capacity: newCapacity)
        unsafe fresh.update(from: entries, count: used)
        unsafe entries.deallocate()
        unsafe entries = fresh
        capacity = newCapacity
    }

    @inline(__always) subscript(_ index: Int) -> JSONEntry {
        precondition(index >= 0 && index < count, "no entry of that index: the tape was used for another document")
        return unsafe entries[index]
    }
}
