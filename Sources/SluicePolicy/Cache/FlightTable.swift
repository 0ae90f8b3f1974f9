internal import Synchronization

/// One who waits for an answer that somebody else has asked for.
package protocol FlightMember: AnyObject, Sendable {
    associatedtype Answer: Sendable
    /// Called at most once, from any thread; never after `leave` said that it would not be.
    func tell(_ verdict: FlightVerdict<Answer>)
}

/// How a wait ends.
package enum FlightVerdict<Answer: Sendable>: Sendable {
    /// Here it is.
    case answer(Answer)
    /// Who asked has failed: ask, for everybody who still waits.
    case lead
    /// The answer is nobody else's: ask for yourself.
    case goAlone
}

/// Requests that are under way, so that of many that are the same one is sent, and the others wait for its answer. Shared by all
/// workers; holds no more than there are requests in flight.
package final class FlightTable<Member: FlightMember>: Sendable {
    package enum Place: Sendable, Equatable {
        /// Nobody asks yet: ask, and tell how it ended with `land`, `fail` or `release`, exactly once.
        case leader
        case follower
        /// The same name for something else.
        case conflict
    }

    private struct Flight {
        let content: CacheKey
        var followers: [Member] = []
        /// Those who are no longer there are in front.
        var first = 0
    }

    private static var partCount: Int { 16 }
    private let parts: [Part]

    private final class Part: Sendable {
        let flights = Mutex<[CacheKey: Flight]>([:])
    }

    package init() { parts = (0..<Self.partCount).map { _ in Part() } }

    private func part(_ key: CacheKey) -> Part { parts[Int(key.spread >> 32) & (Self.partCount - 1)] }

    /// - Parameter content: what the request is about, where the key does not say it all.
    package func join(_ key: CacheKey, content: CacheKey, _ member: Member) -> Place {
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

    /// Becomes the leader if nobody asks yet.
    package func lead(_ key: CacheKey, content: CacheKey) -> Bool {
        part(key).flights.withLock { flights in
            if flights[key] != nil { return false }
            flights[key] = Flight(content: content)
            return true
        }
    }

    /// Waits no longer.
    ///
    /// - Returns: `false` if a verdict is on its way: it must be taken, since it may be to lead.
    package func leave(_ key: CacheKey, _ member: Member) -> Bool {
        part(key).flights.withLock { flights in
            guard let flight = flights[key],
                let place = flight.followers[flight.first...].firstIndex(where: { $0 === member })
            else { return false }
            flights[key]?.followers.remove(at: place)
            return true
        }
    }

    /// The answer has come: everybody gets it.
    ///
    /// - Returns: how many waited.
    @discardableResult
    package func land(_ key: CacheKey, _ answer: Member.Answer) -> Int { end(key, .answer(answer)) }

    /// The answer is not one to share: everybody asks.
    @discardableResult
    package func release(_ key: CacheKey) -> Int { end(key, .goAlone) }

    private func end(_ key: CacheKey, _ verdict: FlightVerdict<Member.Answer>) -> Int {
        let flight = part(key).flights.withLock { $0.removeValue(forKey: key) }
        guard let flight else { return 0 }
        for member in flight.followers[flight.first...] { member.tell(verdict) }
        return flight.followers.count - flight.first
    }

    /// The leader got no answer: the one who has waited longest asks.
    package func fail(_ key: CacheKey) {
        let next: Member? = part(key).flights.withLock { flights in
            guard let flight = flights[key] else { return nil }
            if flight.first == flight.followers.count {
                flights[key] = nil
                return nil
            }
            flights[key]?.first += 1
            return flight.followers[flight.first]
        }
        next?.tell(.lead)
    }

    /// How many are under way.
    package var count: Int { parts.reduce(0) { $0 + $1.flights.withLock(\.count) } }
}
