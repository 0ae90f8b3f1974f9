/// What is due when: a binary heap of instants, each with the connection it is for.
struct TimerHeap {
    struct Entry {
        var due: Int
        var token: Int
        /// Tells whether the connection is still the one, and doing the same, that asked.
        var generation: Int
    }

    private var entries: [Entry] = []

    var earliest: Int? { entries.first?.due }

    mutating func add(_ entry: Entry) {
        entries.append(entry)
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].due < entries[parent].due else { return }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    mutating func removeFirst(dueAt now: Int) -> Entry? {
        guard let first = entries.first, first.due <= now else { return nil }
        let last = entries.removeLast()
        if !entries.isEmpty {
            entries[0] = last
            sink()
        }
        return first
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var child = parent * 2 + 1
            guard child < entries.count else { return }
            if child + 1 < entries.count && entries[child + 1].due < entries[child].due { child += 1 }
            guard entries[child].due < entries[parent].due else { return }
            entries.swapAt(child, parent)
            parent = child
        }
    }
}
