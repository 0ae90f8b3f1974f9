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
    private let book = FlightBook()

    package init() {}

    /// - Parameter content: what the request is about, where the key does not say it all.
    package func join(_ key: CacheKey, content: CacheKey, _ member: Member) -> FlightPlace {
        book.join(key, content: content, member)
    }

    /// Becomes the leader if nobody asks yet.
    package func lead(_ key: CacheKey, content: CacheKey) -> Bool { book.lead(key, content: content) }

    /// Waits no longer.
    ///
    /// - Returns: `false` if a verdict is on its way: it must be taken, since it may be to lead.
    package func leave(_ key: CacheKey, _ member: Member) -> Bool { book.leave(key, member) }

    /// The answer has come: everybody gets it.
    ///
    /// - Returns: how many waited.
    @discardableResult
    package func land(_ key: CacheKey, _ answer: Member.Answer) -> Int { tell(book.end(key), .answer(answer)) }

    /// The answer is not one to share: everybody asks.
    @discardableResult
    package func release(_ key: CacheKey) -> Int { tell(book.end(key), .goAlone) }

    /// The leader got no answer: the one who has waited longest asks.
    package func fail(_ key: CacheKey) {
        if let next = book.next(key) as? Member { next.tell(.lead) }
    }

    /// Whether anybody waits for what the leader brings.
    package func hasFollowers(_ key: CacheKey) -> Bool { book.followerCount(key) > 0 }

    private func tell(
        _ members: [any AnyObject & Sendable], _ verdict: @autoclosure () -> FlightVerdict<Member.Answer>
    ) -> Int {
        if members.isEmpty { return 0 }
        let verdict = verdict()
        for case let member as Member in members { member.tell(verdict) }
        return members.count
    }

    /// How many are under way.
    package var count: Int { book.count }
}
