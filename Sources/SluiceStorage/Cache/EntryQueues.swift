internal import SluicePolicy

/// One part of the memory cache: who stays and who goes, by S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction",
/// SOSP 2023).
///
/// What is new goes through a small queue; what was asked for there moves to the main one, and the rest leaves early. A hit only
/// counts up. Names of what left early are remembered: what comes again soon goes to the main queue at once.
struct EntryQueues {
    private struct Slot {
        var key: CacheKey?
        var entry: CacheEntry?
        var byteCount = 0
        /// Hits since it was last looked at, 3 at most.
        var hits: UInt8 = 0
        var isMain = false
        /// Tells this use of the slot from earlier ones.
        var generation: UInt32 = 0
    }

    private struct Place {
        let slot: Int32
        let generation: UInt32
    }

    private var slots: [Slot] = []
    private var free: [Int32] = []
    private var index: [CacheKey: Int32] = [:]
    private var small = Queue<Place>()
    private var main = Queue<Place>()
    private var ghosts: Set<CacheKey> = []
    private var ghostOrder = Queue<CacheKey>()
    private var smallByteCount = 0
    private(set) var byteCount = 0
    private(set) var evictionCount = 0
    var byteCountMax: Int

    var count: Int { index.count }
    /// Names that are remembered without their entries.
    private static let ghostsMin = 64
    private static let hitsMax: UInt8 = 3

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    mutating func entry(_ key: CacheKey) -> CacheEntry? {
        guard let slot = index[key] else { return nil }
        if slots[Int(slot)].hits < Self.hitsMax { slots[Int(slot)].hits += 1 }
        return slots[Int(slot)].entry
    }

    /// Keeps an entry in place of one of the same name.
    ///
    /// - Returns: `false` if it is too large to be kept beside anything else.
    mutating func store(_ entry: CacheEntry, for key: CacheKey) -> Bool {
        remove(key)
        let byteCount = entry.byteCount
        if byteCount > byteCountMax / 2 { return false }
        let isMain = ghosts.remove(key) != nil
        let slot = free.popLast() ?? Int32(slots.count)
        if Int(slot) == slots.count { slots.append(Slot()) }
        let generation = slots[Int(slot)].generation
        slots[Int(slot)] = Slot(key: key, entry: entry, byteCount: byteCount, isMain: isMain, generation: generation)
        index[key] = slot
        let place = Place(slot: slot, generation: generation)
        if isMain { main.append(place) } else { small.append(place) }
        self.byteCount += byteCount
        if !isMain { smallByteCount += byteCount }
        shrink()
        return true
    }

    @discardableResult
    mutating func remove(_ key: CacheKey) -> Bool {
        guard let slot = index.removeValue(forKey: key) else { return false }
        clear(slot)
        return true
    }

    /// - Returns: how many went.
    mutating func removeAll(where isUnwanted: (CacheKey, CacheEntry) -> Bool) -> Int {
        var unwanted: [CacheKey] = []
        for (key, slot) in index {
            if let entry = slots[Int(slot)].entry, isUnwanted(key, entry) { unwanted.append(key) }
        }
        for key in unwanted { remove(key) }
        return unwanted.count
    }

    /// Lets entries go until they are within the budget.
    mutating func shrink() {
        while byteCount > byteCountMax, !index.isEmpty {
            if smallByteCount > byteCountMax / 10 || main.isEmpty { evictFromSmall() } else { evictFromMain() }
        }
    }

    private mutating func evictFromSmall() {
        guard let place = small.popFirst(), isCurrent(place), let key = slots[Int(place.slot)].key else { return }
        if slots[Int(place.slot)].hits > 0 {
            slots[Int(place.slot)].hits = 0
            slots[Int(place.slot)].isMain = true
            smallByteCount -= slots[Int(place.slot)].byteCount
            main.append(place)
            return
        }
        evictionCount += 1
        remove(key)
        remember(key)
    }

    private mutating func evictFromMain() {
        guard let place = main.popFirst(), isCurrent(place), let key = slots[Int(place.slot)].key else { return }
        if slots[Int(place.slot)].hits > 0 {
            slots[Int(place.slot)].hits -= 1
            return main.append(place)
        }
        evictionCount += 1
        remove(key)
    }

    private mutating func remember(_ key: CacheKey) {
        if ghosts.insert(key).inserted { ghostOrder.append(key) }
        while ghostOrder.count > max(Self.ghostsMin, index.count) {
            if let oldest = ghostOrder.popFirst() { ghosts.remove(oldest) }
        }
    }

    private func isCurrent(_ place: Place) -> Bool { slots[Int(place.slot)].generation == place.generation }

    private mutating func clear(_ slot: Int32) {
        byteCount -= slots[Int(slot)].byteCount
        if !slots[Int(slot)].isMain { smallByteCount -= slots[Int(slot)].byteCount }
        slots[Int(slot)].key = nil
        slots[Int(slot)].entry = nil
        slots[Int(slot)].byteCount = 0
        slots[Int(slot)].generation &+= 1
        free.append(slot)
        // Places of what was removed otherwise than from the front are left behind, within a bound.
        if small.count + main.count > 2 * index.count + Self.ghostsMin { tidy() }
    }

    private mutating func tidy() {
        small.keep { slots[Int($0.slot)].generation == $0.generation && !slots[Int($0.slot)].isMain }
        main.keep { slots[Int($0.slot)].generation == $0.generation && slots[Int($0.slot)].isMain }
    }
}

/// First in, first out.
struct Queue<Element> {
    private var elements: [Element] = []
    private var first = 0

    var count: Int { elements.count - first }
    var isEmpty: Bool { first == elements.count }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        if isEmpty { return nil }
        let element = elements[first]
        first += 1
        if first > 32, first > elements.count / 2 {
            elements.removeFirst(first)
            first = 0
        }
        return element
    }

    mutating func keep(_ isWanted: (Element) -> Bool) {
        elements = elements[first...].filter(isWanted)
        first = 0
    }
}
