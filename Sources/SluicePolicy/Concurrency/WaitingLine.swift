internal import SluiceCore

/// Who waits at a gate, by class of priority; the first of a class is the one that came first.
///
/// A class goes before those below it, but not for ever: each class counts as if it had come so much later than the one above it
/// (`aging`). So whoever waits is overtaken only by what comes within its rank times that span, and nobody starves.
struct WaitingLine {
    /// What somebody who waits is told, once, on whatever thread it happens.
    typealias Wake = @Sendable (ConcurrencyGate.Turn) -> Void

    /// A place in the line; one that was given up is never taken for its successor's.
    struct Ticket: Equatable {
        fileprivate let index: Int
        fileprivate let generation: UInt64
    }

    private struct Place {
        var wake: Wake?
        var since: Instant
        var rank: Int
        var generation: UInt64
        var next = -1
        var previous = -1
    }

    private struct Ends {
        var first = -1
        var last = -1
        var count = 0
    }

    private var places: [Place] = []
    private var free: [Int] = []
    private var classes = [Ends](repeating: Ends(), count: PriorityClasses.countMax)
    private var generation: UInt64 = 0
    private(set) var count = 0

    func count(rank: Int) -> Int { classes[rank].count }

    // MARK: Coming

    mutating func append(rank: Int, at now: Instant, _ wake: @escaping Wake) -> Ticket {
        generation += 1
        let place = Place(wake: wake, since: now, rank: rank, generation: generation, previous: classes[rank].last)
        let index: Int
        if let reused = free.popLast() {
            index = reused
            places[index] = place
        } else {
            index = places.count
            places.append(place)
        }
        if place.previous < 0 { classes[rank].first = index } else { places[place.previous].next = index }
        classes[rank].last = index
        classes[rank].count += 1
        count += 1
        return Ticket(index: index, generation: generation)
    }

    // MARK: Leaving

    /// Takes a place out, wherever in the line it is.
    ///
    /// - Returns: false if it had its turn already.
    mutating func remove(_ ticket: Ticket) -> Bool {
        guard places.indices.contains(ticket.index), places[ticket.index].generation == ticket.generation,
            places[ticket.index].wake != nil
        else { return false }
        _ = take(ticket.index)
        return true
    }

    /// Takes out whoever is next.
    mutating func takeFirst(aging: Duration) -> Wake? {
        var best = -1
        var bestDue = Instant.distantFuture
        for rank in classes.indices where classes[rank].count > 0 {
            let first = classes[rank].first
            let due = places[first].since + aging * rank
            if best < 0 || due < bestDue {
                best = first
                bestDue = due
            }
        }
        return best < 0 ? nil : take(best)
    }

    /// Takes out who came last of the lowest class, if that is below `rank`.
    mutating func takeLast(below rank: Int) -> Wake? {
        guard let lowest = classes.lastIndex(where: { $0.count > 0 }), lowest > rank else { return nil }
        return take(classes[lowest].last)
    }

    private mutating func take(_ index: Int) -> Wake? {
        let place = places[index]
        if place.previous < 0 { classes[place.rank].first = place.next } else { places[place.previous].next = place.next }
        if place.next < 0 { classes[place.rank].last = place.previous } else { places[place.next].previous = place.previous }
        classes[place.rank].count -= 1
        count -= 1
        places[index].wake = nil
        free.append(index)
        return place.wake
    }
}
