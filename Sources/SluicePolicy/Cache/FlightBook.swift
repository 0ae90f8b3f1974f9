internal import Synchronization

package enum FlightPlace: Sendable, Equatable {
    /// Nobody asks yet: ask, and tell how it ended with `land`, `fail` or `release`, exactly once.
    case leader
    case follower
    /// The same name for something else.
    case conflict
}

/// What a flight table knows, whoever its members are: most flights have no followers, and what works for any type of them looks that
/// type up each time.
final class FlightBook: Sendable {
    private struct Flight {
        let content: CacheKey
        var followers: [any AnyObject & Sendable] = []
        /// Those who are no longer there are in front.
        var first = 0
    }

    private final class Part: Sendable {
        let flights = Mutex<[CacheKey: Flight]>([:])
    }

    private static let partCount = 16
    private let parts: [Part]

    init() { parts = (0..<Self.partCount).map { _ in Part() } }

    private func part(_ key: CacheKey) -> Part {
        parts[Int(truncatingIfNeeded: key.spread >> 32) & (Self.partCount - 1)]
    }

    func join(_ key: CacheKey, content: CacheKey, _ member: any AnyObject & Sendable) -> FlightPlace {
        part(key).flights.withLock { flights in
            guard let known = flights[key]?.content else {
                flights[key] = Flight(content: content)
                return .leader
            }
            if known != content { return .conflict }
            flights[key]?.followers.append(member)
            return .follower
        }
    }

    func lead(_ key: CacheKey, content: CacheKey) -> Bool {
        part(key).flights.withLock { flights in
            if flights[key] != nil { return false }
            flights[key] = Flight(content: content)
            return true
        }
    }

    func leave(_ key: CacheKey, _ member: any AnyObject & Sendable) -> Bool {
        part(key).flights.withLock { flights in
            guard let flight = flights[key],
                let place = flight.followers[flight.first...].firstIndex(where: { $0 === member })
            else { return false }
            flights[key]?.followers.remove(at: place)
            return true
        }
    }

    /// - Returns: those who still wait.
    func end(_ key: CacheKey) -> [any AnyObject & Sendable] {
        guard let flight = part(key).flights.withLock({ $0.removeValue(forKey: key) }) else { return [] }
        return flight.first == 0 ? flight.followers : Array(flight.followers[flight.first...])
    }

    /// The one who has waited longest; the flight is over if there is none.
    func next(_ key: CacheKey) -> (any AnyObject & Sendable)? {
        part(key).flights.withLock { flights in
            guard let flight = flights[key] else { return nil }
            if flight.first == flight.followers.count {
                flights[key] = nil
                return nil
            }
            flights[key]?.first += 1
            return flight.followers[flight.first]
        }
    }

    /// How many wait.
    func followerCount(_ key: CacheKey) -> Int {
        part(key).flights.withLock { flights in flights[key].map { $0.followers.count - $0.first } ?? 0 }
    }

    var count: Int { parts.reduce(0) { $0 + $1.flights.withLock(\.count) } }
}
